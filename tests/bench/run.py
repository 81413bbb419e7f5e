"""What marking costs, side by side in one run: wall and CPU seconds a submission, and the start-up.

    uv run python tests/bench/run.py [--submissions 20] [--assignment house_prices]

Every way grades the same submissions by the same checks and draws. Costs of a warm way are told apart from its start-up
by two runs, with one submission and with all: the difference is what the others cost. CPU is that of all processes.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[2]
SEED = "1"
GRADER = str(Path(sys.executable).with_name("grader"))
KINDS = ("ada", "ada", "chloe", "ada", "femi", "ben")  # of the example class, in turn: mostly complete, some unfinished


@dataclass(frozen=True)
class Cost:
    """Wall and CPU seconds."""

    wall: float
    cpu: float

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(self.wall - other.wall, self.cpu - other.cpu)

    def __truediv__(self, n: int) -> "Cost":
        return Cost(self.wall / n, self.cpu / n)

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu)


def cost_of(command: list[str]) -> Cost:
    """Run a command to its end; what it and all processes that it waited for cost."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **single}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # pytest ends with 1 where a check fails
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(time.perf_counter() - started, used.ru_utime + used.ru_stime)


def make_class(folder: Path, assignment: str, n: int) -> list[Path]:
    """`n` submissions, no two the same."""
    entries = []
    for number in range(n):
        kind = KINDS[number % len(KINDS)]
        entry = folder / f"student-{number:03d}"
        shutil.copytree(ROOT / "fixtures" / "submissions" / assignment / kind, entry)
        with (entry / "explore.py").open("a") as file:
            file.write(f"\n# handed in by number {number}\n")
        entries.append(entry)
    return entries


def workers_cpu(out: Path) -> float:
    """CPU seconds of the confined workers, which end with their namespace and are not in anybody's rusage."""
    return sum(json.loads(path.read_text())["cpu_seconds"] for path in (out / "results").glob("*.json"))


def warm(
    command_on: Callable[[Path], list[str]], one: Path, everyone: Path, others: int, out: Path
) -> tuple[Cost, Cost]:
    """Start-up with one submission, and the cost of each further one."""
    costs = []
    for folder in (one, everyone):
        shutil.rmtree(out, ignore_errors=True)
        cost = cost_of(command_on(folder))
        costs.append(cost + Cost(0, workers_cpu(out)))
    return costs[0], (costs[1] - costs[0]) / others


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=20)
    parser.add_argument("--assignment", default="house_prices")
    asked = parser.parse_args()
    name, n = asked.assignment, asked.submissions
    with tempfile.TemporaryDirectory() as scratch:
        one, everyone, out = (Path(scratch) / part for part in ("one", "everyone", "out"))
        make_class(one, name, 1)
        entries = make_class(everyone, name, n + 1)[1:]

        def grade(jobs: int):
            return lambda folder: [
                GRADER,
                "grade",
                name,
                str(folder),
                "--out",
                str(out),
                f"--jobs={jobs}",
                f"--seed={SEED}",
            ]

        in_process = lambda folder: [sys.executable, "tests/bench/in_process.py", name, str(folder)]  # noqa: E731
        rows = {
            "in-process, no isolation (the limit)": warm(in_process, one, everyone, n, out),
            "grader grade, 1 job": warm(grade(1), one, everyone, n, out),
            "grader grade, 2 jobs": warm(grade(2), one, everyone, n, out),
        }
        plain = [sys.executable, "-m", "pytest", f"tests/hidden/{name}", "--in-process", "-q", f"--draw={SEED}"]
        each = [cost_of([*plain, f"--submission={entry}"]) for entry in entries]
        rows["one pytest process a submission"] = (Cost(0, 0), sum(each, Cost(0, 0)) / n)
    show(rows, n)
    return 0


def show(rows: dict[str, tuple[Cost, Cost]], n: int) -> None:
    """The table, with ratios to the limit and to plain pytest."""
    limit, plain = next(iter(rows.values()))[1], list(rows.values())[-1][1]
    table = Table(title=f"{n} submissions, seconds for each", title_justify="left")
    for column in ("", "wall", "CPU", "CPU / limit", "pytest wall / wall", "start-up with one: wall", "CPU"):
        table.add_column(column, justify="left" if not column else "right")
    for label, (first, each) in rows.items():
        ratios = f"{each.cpu / limit.cpu:.2f}", f"{plain.wall / each.wall:.1f}"
        start = (f"{first.wall:.1f}", f"{first.cpu:.1f}") if first.wall else ("–", "–")
        table.add_row(label, f"{each.wall:.2f}", f"{each.cpu:.2f}", *ratios, *start)
    Console(width=120).print(table)


if __name__ == "__main__":
    sys.exit(main())
