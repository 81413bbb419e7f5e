"""What one more submission costs where 10,000 have been marked already, against where there is none: is there growth?

    uv run python tests/bench/one_more.py [--there 10000] [--more 200] [--rounds 3]

Submissions and course are those of `ten_thousand.py`, whose checks compute nothing. Those that are there already are records
and gradebook entries like any other. Each round marks a few, and a few more, on top of each; the difference is what one
costs, without what a run takes at its start. Also what recording takes of it: the gradebook, by itself, at both sizes.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1]))
from peers.measure import Cost, cost_of
from ten_thousand import GRADER, write_class, write_course

from grader.course import Course
from grader.gradebook import Gradebook
from grader.results import SubmissionResult
from grader.store import ResultStore

FEW = 20


class Folder:
    """An `--out` folder with so many results, on which more are marked."""

    def __init__(self, root: Path, name: str) -> None:
        self.root, self.out = root, root / name
        self._numbers = 0
        self.store = ResultStore(self.out)

    def mark(self, n: int) -> Cost:
        """Mark `n` new submissions; what it cost."""
        self._numbers += 1
        handed_in = self.root / f"class-{self.out.name}-{self._numbers}"
        write_class(handed_in, n)
        students = []
        for entry in sorted(handed_in.iterdir()):
            students.append(f"round-{self._numbers}-{entry.name}")
            for file in entry.iterdir():
                file.write_text(f"{file.read_text()}# in {self.out.name}, round {self._numbers}\n")
            entry.rename(handed_in / students[-1])
        command = [GRADER, "grade", "cheap", handed_in, "--course", self.root / "course", "--out", self.out, "--seed=1"]
        cost = cost_of([*command, f"--jobs={os.cpu_count()}"], self.root)
        confined = sum(result.cpu_seconds for result in self.store.results_of(students))
        return cost + Cost(cpu=confined)

    def fill(self, model: SubmissionResult, students: Iterable[str]) -> float:
        """Record results like this one; CPU seconds that the gradebook took for each."""
        course = Course(self.root / "course")
        with Gradebook(f"sqlite:///{self.out / 'gradebook.db'}") as gradebook:
            gradebook.prepare(course.assignment("cheap"))
            taken = []
            for student in students:
                result = replace(model, student=student, digest=f"of {student}")
                self.store.write(result)
                began = time.process_time()
                gradebook.record(result)
                taken.append(time.process_time() - began)
        return statistics.mean(taken[-FEW:])


def each(folder: Folder, more: int) -> Cost:
    """What one costs, without the start of a run."""
    few = folder.mark(FEW)
    return folder.mark(FEW + more).each_beyond(few, more)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--there", type=int, default=10_000)
    parser.add_argument("--more", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="one-more-") as name:
        root = Path(name)
        write_course(root / "course")
        empty, full = Folder(root, "empty"), Folder(root, "full")
        for folder in (empty, full):
            folder.mark(FEW)
        model = next(iter(full.store.read()))
        record = {
            "empty": empty.fill(model, (f"before-{n}" for n in range(FEW))),
            "full": full.fill(model, (f"before-{n}" for n in range(asked.there))),
        }
        rounds = [(each(empty, asked.more), each(full, asked.more)) for _ in range(asked.rounds)]
    table = Table(title=f"one more of {asked.more}, median of {asked.rounds} rounds", title_justify="left")
    for column in ("", "wall ms", "CPU ms", "of which the gradebook's"):
        table.add_column(column, justify="right" if column else "left")
    for place, (label, kind) in enumerate(((f"{FEW} there", "empty"), (f"{asked.there} there", "full"))):
        walls, cpus = ([getattr(pair[place], what) for pair in rounds] for what in ("wall", "cpu"))
        wall, cpu = statistics.median(walls), statistics.median(cpus)
        share = f"{1000 * record[kind]:.1f} ms, {record[kind] / cpu:.1%}"
        table.add_row(label, f"{1000 * wall:.1f}", f"{1000 * cpu:.1f}", share)
    ratios = [full.cpu / empty.cpu for empty, full in rounds]
    Console(width=100).print(table)
    print("CPU of one there against none:", ", ".join(f"{ratio:.3f}" for ratio in ratios))
    return 0


if __name__ == "__main__":
    sys.exit(main())
