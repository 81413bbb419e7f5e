"""Figures that the student's code returned during self-checks, saved beside the work so that they can be looked at."""

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

from grader.suite.figures import summarise

FOLDER = "figures"


class Album:
    """Keeps the figures of each check until `save`; drawing them takes longer than a check may."""

    def __init__(self, work: Path) -> None:
        self._folder = work / FOLDER
        self._check = ""
        self._figures: defaultdict[str, list[Any]] = defaultdict(list)

    def begin(self, check: str) -> None:
        """What comes from here on belongs to this check, `task.name`; its earlier figures are let go."""
        self._check = check.partition(".")[2]
        self._figures.pop(self._check, None)

    def summarise(self, thing: object) -> tuple[str, Any] | None:
        """The summary that the check sees of a figure; the figure itself is kept."""
        summary = summarise(thing)
        known = self._figures[self._check] if summary is not None else []
        if summary is not None and not any(thing is figure for figure in known):
            known.append(thing)
        return summary

    def save(self) -> list[str]:
        """Write `figures/<check>.png`, `figures/<check>-2.png`, …; what was written, or why it was not."""
        written = []
        for check, figures in self._figures.items():
            for number, figure in enumerate(figures, 1):
                name = f"{check}.png" if number == 1 else f"{check}-{number}.png"
                written.append(self._draw(figure, name))
        self._figures.clear()
        return written

    def _draw(self, figure: Any, name: str) -> str:
        aside = self._folder / f".{name}"
        try:
            self._folder.mkdir(exist_ok=True)
            figure.savefig(aside, format="png")
            os.replace(aside, self._folder / name)
        except Exception as error:  # whatever the student's figure does when it is drawn
            aside.unlink(missing_ok=True)
            reason = str(error).strip().splitlines() or [""]
            return f"{name}: not saved, {type(error).__name__}: {reason[0]}"
        return f"{FOLDER}/{name}"
