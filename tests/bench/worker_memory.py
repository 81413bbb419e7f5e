"""What a worker holds by itself before it runs a line of a student's: memory beyond what it shares with the warm process.

    uv run python tests/bench/worker_memory.py [--assignment NAME …] [--workers 4]

Private pages of all processes of a worker, the one that serves and the first of its pid namespace: after it has begun to
serve, and after it has the solution's files and has imported them, which is the student's own part.
"""

import argparse
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.table import Table

import grader
from grader.course import Course
from grader.executor import PRELOAD
from grader.sandbox import processes
from grader.sandbox.launch import Sandbox, Session, Worker, WorkerLimits
from grader.sandbox.remote import Remote, SocketChannel

ROOT = Path(__file__).parents[2]
COURSE = Course(ROOT)
MIB = 1 << 20
PRIVATE = (b"Private_Clean:", b"Private_Dirty:", b"Private_Hugetlb:")


def private_memory(pid: int) -> int:
    """Bytes of a process's resident pages that no other process has."""
    with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        return sum(int(line.split()[1]) << 10 for line in file if line.startswith(PRIVATE))


def measure(assignment: str, n: int) -> Iterator[tuple[float, float]]:
    """MiB of each of `n` workers that live at the same time: serving, and with the solution imported."""
    declared = COURSE.assignment(assignment)
    sandbox = Sandbox.start(
        preload=[*PRELOAD.split(), *declared.libraries],
        warm_up="grader.suite.builders:warm_up",
        serve="grader.suite.builders:serve",
        readable=[Path(grader.__file__).parent],
        canary=COURSE.suite(assignment),
    )
    files = {name: (COURSE.solution(assignment) / name).read_bytes() for name in declared.files}
    with sandbox, ExitStack() as open_sessions:
        warm = {process.pid for process in processes.tree(sandbox.pid)}
        for _ in range(n):
            session = open_sessions.enter_context(Session(sandbox.open_session()))
            worker = session.spawn(WorkerLimits())
            pids = {process.pid for process in processes.tree(sandbox.pid)} - warm
            warm |= pids
            yield sum(map(private_memory, pids)) / MIB, with_files(worker, pids, files)


def with_files(worker: Worker, pids: set[int], files: dict[str, bytes]) -> float:
    """MiB of a worker once it has imported these files."""
    remote = Remote(SocketChannel(worker.connection, lambda: None))
    remote.write_files(files)
    for name in files:
        remote.load(name.removesuffix(".py"))
    return sum(map(private_memory, pids)) / MIB


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--assignment", action="append", choices=COURSE.names, help="these alone")
    parser.add_argument("--workers", type=int, default=4, help="that live at the same time")
    asked = parser.parse_args()
    table = Table(title=f"private memory of a worker, the most of {asked.workers}", title_justify="left")
    for column in ("", "serving MiB", "solution imported MiB"):
        table.add_column(column, justify="right" if column else "left")
    for assignment in asked.assignment or COURSE.names:
        found = list(measure(assignment, asked.workers))
        table.add_row(assignment, *(f"{max(values):.1f}" for values in zip(*found, strict=True)))
    Console(width=100).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
