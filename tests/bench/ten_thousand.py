"""A class of ten thousand with fifty checks each, whose grader is killed and started again: cost, memory, and nothing lost.

    uv run python tests/bench/ten_thousand.py [--submissions 10000] [--kills 3] [--jobs 2] [--db URL]

Submissions are cheap, so that what the grader itself takes shows. Every student's score is known beforehand. Costs are those
since the row before; memory is resident and no file's.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

sys.path.insert(0, str(Path(__file__).parents[1]))
from attacks.faults import victims

from grader.sandbox import processes
from grader.store import ResultStore

GRADER = str(Path(sys.executable).with_name("grader"))
TASKS, CHECKS, POINTS = 5, 10, 2
MIB = 1 << 20
LOOK_SECONDS = 0.5
SUITE = """
import pytest

from grader.suite import check, require_equal

"""
CHECK = """
@check(title="multiplies by {n}", hint="n * {n}")
def test_times_{n}(student, rng):
    given = int(rng.integers(1, 1000))
    require_equal(student.task_{task}.times_{n}(given), given * {n}, "it multiplies")

"""


def write_course(root: Path) -> None:
    """A course of one assignment: 5 tasks of 10 checks."""
    header = 'name = "cheap"\ntitle = "Cheap"\ndifficulty = "easy"\n'
    tasks = [
        f'\n[[task]]\nnumber = {task + 1}\nname = "task_{task}"\ntitle = "Task"\n[task.checks]\n'
        + "".join(f"times_{n} = {POINTS}\n" for n in range(CHECKS))
        for task in range(TASKS)
    ]
    files = {"assignments/cheap/assignment.toml": header + "".join(tasks)}
    for task in range(TASKS):
        checks = "".join(CHECK.format(task=task, n=n) for n in range(CHECKS))
        files[f"tests/hidden/cheap/test_task_{task}.py"] = SUITE + checks
        files[f"solutions/cheap/task_{task}.py"] = solved(task, right=True)
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def solved(task: int, *, right: bool) -> str:
    """A task's file, right or all wrong."""
    return "".join(f"def times_{n}(x):\n    return x * {n} + {0 if right else 1}\n" for n in range(CHECKS))


def right_tasks(number: int) -> int:
    """How many tasks the student of this number has right."""
    return number % (TASKS + 1)


def write_class(folder: Path, size: int) -> None:
    """No two submissions are the same."""
    for number in range(size):
        entry = folder / f"student-{number:05d}"
        entry.mkdir(parents=True)
        for task in range(TASKS):
            code = solved(task, right=task < right_tasks(number))
            (entry / f"task_{task}.py").write_text(f"{code}\n# number {number}\n")


@dataclass(frozen=True)
class Look:
    """One look at a run."""

    results: int
    seconds: float
    cpu_seconds: float
    memory: Mapping[str, int]


class _Taken(msgspec.Struct):
    cpu_seconds: float


class Run:
    """The command on the class, started again whenever it was killed."""

    def __init__(self, root: Path, jobs: int, url: str) -> None:
        self.out, self._started, self._cpu_of_dead, self._cpu = root / "out", time.perf_counter(), 0.0, 0.0
        self._command = [GRADER, "grade", "cheap", str(root / "class"), "--course", str(root / "course")]
        self._command += ["--out", str(self.out), f"--jobs={jobs}", "--seed=1", *(["--db", url] if url else [])]
        self.process = self._start()

    def _start(self) -> subprocess.Popen:
        return subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def again(self) -> None:
        """Kill it, and start it again."""
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()
        self._cpu_of_dead, self._cpu = self._cpu_of_dead + self._cpu, 0.0
        self.process = self._start()

    def note_cpu(self) -> None:
        """What the grader's own processes have taken; asked often, since it is gone with them."""
        with suppress(OSError):
            self._cpu = max(self._cpu, sum(one.cpu_seconds for one in processes.tree(self.process.pid)))

    def done(self) -> int:
        """How many results there are."""
        return sum(entry.name.endswith(".json") for entry in os.scandir(self.out / "results"))

    def look(self) -> Look:
        """How far it is, and what it has taken."""
        done = self.done()
        memory = {}
        for kind in ("grader", "host", "zygote"):
            found = victims(self.process.pid, kind)
            memory[kind] = sum(map(processes.resident_memory, found))
        cpu_seconds = self._cpu_of_dead + self._cpu + self._workers()
        return Look(done, time.perf_counter() - self._started, cpu_seconds, memory)

    def _workers(self) -> float:
        """Seconds of workers, which end with their namespace and are in nobody's account but the results."""
        taken = 0.0
        for path in (self.out / "results").glob("*.json"):
            with suppress(OSError, ValueError):
                taken += msgspec.json.decode(path.read_bytes(), type=_Taken).cpu_seconds
        return taken


def milestones(size: int) -> list[int]:
    """After how many results there is a row."""
    small = [step for step in (10, 100, 1000) if step < size]
    return sorted({*small, *range(max(size // 10, 1), size, max(size // 10, 1))})


def follow(run: Run, size: int, kills: int, draw: random.Random) -> list[Look]:
    """Looks at the milestones, while it is killed at random places."""
    looks, left = [], milestones(size)
    deaths = sorted(draw.sample(range(size // 20, size - size // 20), kills))
    while run.process.poll() is None:
        time.sleep(LOOK_SECONDS)
        if not (run.out / "results").is_dir():
            continue
        run.note_cpu()
        done = run.done()
        if left and done >= left[0]:
            looks.append(run.look())
            left = [step for step in left if step > done]
        if deaths and done >= deaths[0]:
            deaths.pop(0)
            run.again()
    _, said = run.process.communicate()
    if run.process.returncode:
        raise SystemExit(f"it ended with {run.process.returncode}: {said.decode()[-2000:]}")
    return looks


def problems(out: Path, size: int, url: str) -> list[str]:
    """What is not as it must be, in results and gradebook; read from the files and tables themselves."""
    expected = {f"student-{n:05d}": float(right_tasks(n) * CHECKS * POINTS) for n in range(size)}
    results = {result.student: result.score for result in ResultStore(out).read()}
    engine = create_engine(url or f"sqlite:///{out / 'gradebook.db'}")
    query = """
        select submitted_assignment.student_id, count(*), count(distinct grade.cell_id), sum(grade.auto_score) from grade
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        group by submitted_assignment.student_id
    """
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    engine.dispose()
    found = [f"{name}: {score}" for name, score in results.items() if score != expected.get(name)]
    found += [f"lost: {name}" for name in expected.keys() - results.keys()]
    wanted = {(name, TASKS * CHECKS, TASKS * CHECKS, score) for name, score in expected.items()}
    found += [f"gradebook: {row}" for row in {tuple(row) for row in rows} ^ wanted]
    return found + ([f"{len(rows)} rows for {size} students"] if len(rows) != size else [])


def show(looks: list[Look], size: int) -> None:
    """A row for each milestone."""
    table = Table(title=f"{size} submissions of {TASKS * CHECKS} checks", title_justify="left")
    for column in ("results", "wall ms each", "CPU ms each", "grader MiB", "host MiB", "zygote MiB"):
        table.add_column(column, justify="right")
    before = Look(0, 0.0, 0.0, {})
    for look in looks:
        n = max(1, look.results - before.results)
        costs = (look.seconds - before.seconds) / n, (look.cpu_seconds - before.cpu_seconds) / n
        memory = (
            f"{look.memory[kind] / MIB:.0f}" if look.memory[kind] else "–" for kind in ("grader", "host", "zygote")
        )
        table.add_row(str(look.results), *(f"{1000 * cost:.1f}" for cost in costs), *memory)
        before = look
    Console(width=100).print(table)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--db", default="", help="URL of an empty database (default: SQLite beside the results)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    asked = parser.parse_args()
    root = Path(tempfile.mkdtemp(prefix="ten-thousand-"))
    try:
        write_course(root / "course")
        write_class(root / "class", asked.submissions)
        run = Run(root, asked.jobs, asked.db)
        looks = follow(run, asked.submissions, asked.kills, random.Random(asked.seed))
        show([*looks, run.look()], asked.submissions)
        found = problems(run.out, asked.submissions, asked.db)
        print(f"killed {asked.kills} times; {len(found)} problems", *found[:10], sep="\n    ")
        return 1 if found else 0
    finally:
        shutil.rmtree(root, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
