"""A dozen attacks on four graders, each run for real: pytest in one process, nbgrader, otter-grader, and this one.

    uv run --extra bench python tests/bench/attacks_elsewhere.py [--markdown] [--help for more]

Every grader gets the same files and has the same checks, worth the same points. A cell says what the honest part of a
submission deserves and what it was given, in a word whether the grader held, and the seconds that the run took:

    held       exactly what it deserves, and nothing else happened
    gains N    N points more than it deserves
    loses N    N points fewer than its honest part deserves
    leaks      a planted secret got out: it was printed, or arrived at a server that stands for one somewhere else
    no grade   the run ended or hung without a grade
    stays      a process outlived the run

`otter run` is otter's own way without containers. Its way with containers (`otter grade`) is not run here. The others run
the attacks unconfined, so these touch nothing but what belongs to their own run, and end by themselves or are ended.
"""

import argparse
import importlib.metadata
import os
import platform
import signal
import sys
import tempfile
import time
from pathlib import Path

from elsewhere.graders import Given, Nbgrader, Otter, Ours, Pytest
from elsewhere.selection import ATTACKS, HONEST, Attack
from rich.console import Console
from rich.table import Table

GRADERS = {kind.name: kind for kind in (Pytest, Nbgrader, Otter, Ours)}
PACKAGES = ("pytest", "pytest-timeout", "nbgrader", "nbclient", "ipykernel", "otter-grader", "numpy", "pandas", "torch")


def words(attack: Attack, given: Given) -> list[str]:
    """What happened; nothing if the grader held."""
    happened = []
    if given.points is None:
        happened.append("no grade")
    elif given.points > attack.earns:
        happened.append(f"gains {given.points - attack.earns:g}")
    elif given.points < attack.earns:
        happened.append(f"loses {attack.earns - given.points:g}")
    if given.learned:
        happened.append(f"leaks {', '.join(sorted(given.learned))}")
    return happened + ["stays"] * bool(given.left)


def cell(attack: Attack, given: Given) -> str:
    """`0 → 35, gains 35, 8 s`."""
    points = "–" if given.points is None else f"{given.points:g}"
    happened = "; ".join(words(attack, given)) or "held"
    return f"{attack.earns:g} → {points}, {happened} ({given.seconds:.0f} s)"


def rows(graders: dict, outcomes: dict) -> list[list[str]]:
    """The table's lines, and how often each grader held at the end."""
    lines = [
        [attack.name, *(cell(attack, outcomes[name, attack.name]) for name in graders)] for attack in chosen(outcomes)
    ]
    attacks = [attack for attack in chosen(outcomes) if attack not in HONEST]
    held = [sum(not words(attack, outcomes[name, attack.name]) for attack in attacks) for name in graders]
    return [*lines, ["held", *(f"{number} of {len(attacks)}" for number in held)]]


def chosen(outcomes: dict) -> list[Attack]:
    return [attack for attack in (*HONEST, *ATTACKS) if any(name == attack.name for _, name in outcomes)]


def show(lines: list[list[str]], heads: list[str], *, markdown: bool) -> None:
    """The table, and of what versions it speaks."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in PACKAGES)
    note = f"deserved → given. Python {platform.python_version()}, {versions}."
    if markdown:
        for line in (heads, ["---"] * len(heads), *lines):
            print(f"| {' | '.join(line)} |")
        print(f"\n{note}")
        return
    table = Table(title=note, title_justify="left", show_lines=True)
    for head in heads:
        table.add_column(head)
    for line in lines:
        table.add_row(*line)
    Console(width=170).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these attacks alone")
    parser.add_argument("--graders", nargs="+", choices=GRADERS, default=list(GRADERS))
    parser.add_argument(
        "--limit", type=float, default=240, help="seconds for one of the others' runs, then it is ended"
    )
    parser.add_argument("--said", action="store_true", help="print the end of what each run said, too")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that what was started is ended, too
    attacks = [attack for attack in (*HONEST, *ATTACKS) if not asked.only or attack.name in asked.only]
    graders = {name: GRADERS[name](asked.limit) for name in asked.graders}
    outcomes, started = {}, time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="elsewhere-") as scratch:
        os.chdir(scratch)  # what attacks find by looking at where this process is
        for name, grader in graders.items():
            course = Path(scratch, f"{name}-course")
            course.mkdir()
            grader.prepare(course)
            for attack in attacks:
                folder = Path(scratch, f"{name}-{attack.name}")
                folder.mkdir()
                given = outcomes[name, attack.name] = grader.grade(attack, folder)
                print(
                    f"{name}: {attack.name}: {cell(attack, given)} {' '.join(given.left)}", file=sys.stderr, flush=True
                )
                if asked.said:
                    print(given.said[-2500:], file=sys.stderr, flush=True)
        os.chdir("/")
    show(rows(graders, outcomes), ["attack", *graders], markdown=asked.markdown)
    print(f"\n{time.perf_counter() - started:.0f} s in all.")
    unfair = [
        name
        for (name, of), given in outcomes.items()
        for attack in HONEST
        if attack.name == of and words(attack, given)
    ]
    if unfair:
        print(
            f"Not a fair comparison: {', '.join(unfair)} did not give honest work its points (was it too slow here?)."
        )
    return bool(unfair)


if __name__ == "__main__":
    sys.exit(main())
