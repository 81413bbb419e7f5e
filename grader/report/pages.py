"""The pages as text: templates filled in with escaping, under a policy that lets no page load or run anything else."""

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grader.attempts import lateness
from grader.course import Assignment
from grader.report import words
from grader.report.measures import Item, Spread, histogram, items, most_missed
from grader.report.tally import Row, Tally
from grader.report.times import Clock
from grader.results import CheckResult, CheckStatus, Standing, SubmissionResult, SubmissionStatus
from grader.settings import Window

TEMPLATES = Path(__file__).parent / "templates"
MARKER = '<meta name="generator" content="grader report">'
"""Near the beginning of every page: how a later report knows what an earlier one has written."""
ALL = Window()
IN_UTC = Clock()
MOST_MISSED = 10
MOST_TOLD = 100
MOST_NAMED = 4
ENDINGS = {
    CheckStatus.UNUSABLE: "the check could make nothing of what came back",
    CheckStatus.CRASHED: "the student's process ended",
    CheckStatus.TIMEOUT: "it met a limit of time or memory",
    CheckStatus.NOT_RUN: "the task's file is missing, or the time was used up",
}


@dataclass(frozen=True)
class TaskPart:
    """A task of one student's page: its name, its points, its checks."""

    label: str
    title: str
    file: str
    points: float
    max_points: float
    checks: Sequence[CheckResult]


@dataclass(frozen=True)
class TaskLine:
    """A task over the class."""

    label: str
    title: str
    max_points: float
    spread: Spread
    full: int
    none: int

    @property
    def share(self) -> float:
        """The mean's part of the points that there are."""
        return self.spread.mean / self.max_points if self.max_points else 0.0


@dataclass(frozen=True)
class Ending:
    """An outcome other than right and wrong, over the class."""

    status: CheckStatus
    what: str
    students: int
    checks: int
    most: Sequence[Item]


@dataclass(frozen=True)
class Pages:
    """Writes the pages of one assignment."""

    assignment: Assignment
    clock: Clock = IN_UTC
    course: str = ""
    """The course's title, if it has one."""
    made: datetime | None = None
    """When the report is made; pages say it where it is known."""

    @cached_property
    def _environment(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        facts = (
            words.readable,
            words.coded,
            words.points,
            words.percent,
            words.seconds,
            words.correlation,
            words.many,
            lateness,
        )
        environment.filters |= {function.__name__: function for function in facts} | {"address": quote}
        environment.globals |= {
            "outcomes": words.OUTCOMES,
            "marks": words.MARKS,
            "wrong": words.WRONG,
            "CheckStatus": CheckStatus,
            "SubmissionStatus": SubmissionStatus,
            "style": Markup(_read("style.css")),
            "script": Markup(_read("sort.js")),
            "script_hash": _hash(_read("sort.js")),
            "marker": Markup(MARKER),
            "assignment": self.assignment,
            "clock": self.clock,
            "not_shown": words.not_shown,
            "course": self.course,
            "made": self.clock.in_words(self.made.replace(second=0)) if self.made else "",
        }
        return environment

    def student(
        self,
        result: SubmissionResult,
        figures: Sequence[tuple[str, str, Markup]] = (),
        window: Window = ALL,
    ) -> str:
        """The feedback of one student: what they may see, and nothing else of the record.

        Args:
            result: of one submission.
            figures: task, caption and drawing, SVG from trusted numbers, of each figure.
            window: the parts that students are shown at present.
        """
        if not window.hints:
            result = replace(result, checks=[replace(check, message="") for check in result.checks])
        return self._environment.get_template("student.html.jinja").render(
            result=result,
            window=window,
            tasks=self._parts(result) if window.points else [],
            standing=result.standing,
            figures=[(self._label(task), caption, drawing) for task, caption, drawing in figures],
            penalty=result.standing.attempt.penalty if result.standing else 0.0,
            attempts=_attempts(result.standing) if window.points else [],
        )

    def of_class(self, tally: Tally) -> str:
        """The page of the whole class."""
        found = items(tally)
        rows = sorted(tally.rows, key=lambda row: (row.student.casefold(), row.student))
        return self._environment.get_template("class.html.jinja").render(
            tally=tally,
            rows=rows,
            items=found,
            met=[status for status in words.OUTCOMES if status in tally.troubled and status is not CheckStatus.PASSED],
            missed=most_missed(found, MOST_MISSED),
            troubles=_troubles(rows),
            most_told=MOST_TOLD,
            endings=_endings(tally, found),
            scores=Spread.of(tally.scores),
            bins=histogram(tally.scores, tally.max_score),
            full=sum(score >= tally.max_score for score in tally.scores),
            tasks=self._lines(tally),
            columns=self._columns(tally),
            wall=Spread.of(tally.seconds),
            cpu=Spread.of(tally.cpu_seconds),
            slowest=_slowest(found),
            label=self._label,
            penalties=any(row.penalty for row in rows),
        )

    def _parts(self, result: SubmissionResult) -> list[TaskPart]:
        return [
            TaskPart(
                label=self._label(name),
                title=self._title(name),
                file=f"{name}.py",
                points=score.points,
                max_points=score.max_points,
                checks=[check for check in result.checks if check.task == name],
            )
            for name, score in result.tasks.items()
        ]

    def _lines(self, tally: Tally) -> list[TaskLine]:
        lines = []
        for name, points in tally.task_points.items():
            most = tally.task_maxima[name]
            full, none = sum(p >= most for p in points), sum(p <= 0 for p in points)
            spread = Spread.of(points)
            assert spread is not None  # a task is there from its first points on
            lines.append(TaskLine(self._label(name), self._title(name), most, spread, full, none))
        return lines

    def _columns(self, tally: Tally) -> list[tuple[str, str, str]]:
        """Tasks as the table of students has them: name, heading, and the file where another task is called the same.

        A single bonus task is the bonus, which has a column of its own.
        """
        names = [name for name in tally.task_points if tally.bonus_tasks != {name}]
        labels = Counter(map(self._label, names))
        return [
            (name, self._label(name).replace("Task ", "T"), name if labels[self._label(name)] > 1 else "")
            for name in names
        ]

    def _label(self, task: str) -> str:
        """What students call a task; its name where the course has none of this name any more."""
        return self._named[task].label if task in self._named else task

    def _title(self, task: str) -> str:
        return self._named[task].title if task in self._named else ""

    @cached_property
    def _named(self) -> Mapping:
        return {task.name: task for task in self.assignment.task}


def _attempts(standing: Standing | None) -> list[dict]:
    """What a student reads of the own attempts; how the grader failed on one is not among it."""
    if standing is None:
        return []
    return [
        {
            "name": one.name,
            "time": one.time,
            "status": one.status,
            "points": one.points,
            "late": lateness(one.seconds_late),
            "penalty": one.penalty,
            "net": one.net,
            "failed": bool(one.fault),
            "counts": place == standing.counting,
        }
        for place, one in enumerate(standing.attempts)
    ]


def _troubles(rows: Sequence[Row]) -> dict[str, list[Row]]:
    """Rows that are worth a look, by why."""
    return {
        "The grader failed": [row for row in rows if row.status is SubmissionStatus.GRADER_ERROR],
        "Invalid": [row for row in rows if row.status is SubmissionStatus.INVALID],
        "Late": [row for row in rows if row.seconds_late],
    }


def _endings(tally: Tally, found: Sequence[Item]) -> list[Ending]:
    """Outcomes other than right and wrong that there are, each with the checks that it befell most."""
    endings = []
    for status, what in ENDINGS.items():
        hit = sorted((item for item in found if item.count(status)), key=lambda item: -item.count(status))
        if hit:
            count = sum(item.count(status) for item in hit)
            endings.append(Ending(status, what, tally.troubled[status], count, hit[:MOST_NAMED]))
    return endings


def _slowest(found: Sequence[Item]) -> list[Item]:
    timed = [(item.median_seconds, item) for item in found if item.median_seconds is not None]
    return [item for _, item in sorted(timed, key=lambda one: -one[0])[:MOST_MISSED]]


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


def _hash(text: str) -> str:
    """How a Content-Security-Policy names a script: https://www.w3.org/TR/CSP3/#grammardef-hash-source"""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
