"""What a cluster costs: the figures of docs/cluster.md.

    python tests/bench/cluster.py gradings [--size 60] [--workers 2]    CPU time of a grading, with and without Dask
    python tests/bench/cluster.py workers [--size 12] [--assignment house_prices]     1, 2 and 4 workers against each other
    python tests/bench/cluster.py worker                                memory of one worker's warm processes
    python tests/bench/cluster.py scheduler [--size 10000] [--kb 50]    memory of Dask's scheduler

`gradings` grades the tests' tiny course on warm engines; `worker` has those processes, too. `workers` grades a real
assignment's solution, on clusters of one machine whose workers have one thread each.
`scheduler` has a real scheduler, worker and client, whose engine only pretends: it answers with a record as long as those
of the course's assignments.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import tiny_course
from rich.console import Console
from rich.table import Table

from grader.cluster import ClusterEngine
from grader.course import Course
from grader.executor import LocalEngine
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.sandbox.processes import tree
from grader.submission import Submission

BIN = Path(sys.executable).parent
JOBS = 64  # of the worker that pretends
CHECKS = 50  # each with half a kilobyte to say: records of some 35 kB, as the course's assignments have
SIZE_OF_START = 10
RIGHT = {name: text.encode() for name, text in tiny_course.RIGHT.items()}


class PretendingEngine:
    """Answers at once; or, while the file `hold` in the worker's folder exists, once that is gone."""

    sandbox = "namespaces: pretended"
    titles: dict[str, str] = {}  # noqa: RUF012

    def __init__(self, course, assignment, *, seed: int, jobs: int) -> None:
        self.jobs = jobs

    def wait_ready(self) -> None:
        pass

    def submit(self, submission: Submission, *, checks: Sequence[str] = ()) -> "Future[SubmissionResult]":
        while Path("hold").exists():
            time.sleep(0.05)
        checks = [
            CheckResult(
                f"sums.check{n}", "sums", "a rule", CheckStatus.FAILED, 0, 2, "a hint", random.randbytes(200).hex()
            )
            for n in range(CHECKS)
        ]
        future: Future = Future()
        future.set_result(
            SubmissionResult("tiny", submission.student, SubmissionStatus.GRADED, checks, digest=submission.digest)
        )
        return future

    def close(self) -> None:
        pass


def dask_setup(worker: object) -> None:
    """Dask's hook for `--preload` of this file."""
    from grader import cluster_worker

    cluster_worker.LocalEngine = PretendingEngine


def memory(pid: int, field: str = "VmRSS") -> float:
    """Memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise SystemExit("the scheduler has ended")


@contextmanager
def pretended(folder: Path) -> Iterator[tuple[ClusterEngine, int]]:
    """An engine on one worker that pretends, and the scheduler's process."""
    course = Course(tiny_course.write_course(folder))
    with subprocess.Popen([BIN / "dask", "scheduler", "--port", "18786", "--no-dashboard"], cwd=folder) as scheduler:
        words = ["worker", "tcp://127.0.0.1:18786", "--nthreads", str(JOBS), "--no-dashboard", "--preload", __file__]
        with subprocess.Popen([BIN / "dask", *words], cwd=folder) as worker:
            try:
                facts = {"seed": 1, "jobs": 1, "address": "tcp://127.0.0.1:18786", "tell": print}
                with ClusterEngine(course, course.assignment("tiny"), **facts) as engine:
                    engine.wait_ready()
                    yield engine, scheduler.pid
            finally:
                worker.terminate()
                scheduler.terminate()


def measure_scheduler(size: int, kb: int) -> None:
    """Print the scheduler's memory: idle, with submissions in flight, and after `size` results."""
    with tempfile.TemporaryDirectory() as name, pretended(Path(name)) as (engine, pid):
        hold = Path(name, "hold")
        hold.touch()
        idle = memory(pid)
        print(f"idle, with one worker: {idle:.0f} MiB")
        running = {engine.submit(handed_in(n, kb)) for n in range(2 * JOBS)}
        while engine._client.run_on_scheduler(count_tasks) < 2 * JOBS:
            time.sleep(0.5)
        held = memory(pid)
        print(
            f"{2 * JOBS} of {kb} kB in flight: +{held - idle:.1f} MiB, {(held - idle) * 1024 / (2 * JOBS):.0f} kB each"
        )
        hold.unlink()
        began = time.monotonic()
        for number in range(2 * JOBS, size):
            running.add(engine.submit(handed_in(number, kb)))
            while len(running) >= 2 * JOBS:
                running -= finished(running)
        while running:
            running -= finished(running)
        seconds = time.monotonic() - began
        print(f"after {size} results: {memory(pid):.0f} MiB, at most {memory(pid, 'VmHWM'):.0f} MiB")
        print(
            f"{size / seconds:.0f} submissions a second through scheduler, worker and client, which all share the machine"
        )


def count_tasks(dask_scheduler: object) -> int:
    return len(dask_scheduler.tasks)


def measure_worker() -> None:
    """Print what a worker holds before it grades: Dask's process, the host and the sandbox, shared pages once."""
    with tempfile.TemporaryDirectory() as name:
        course = Course(tiny_course.write_course(Path(name)))
        with ClusterEngine(course, course.assignment("tiny"), seed=1, jobs=1, address="local:1", tell=print) as engine:
            engine.wait_ready()
            own = int(engine._client.run(os.getpid).popitem()[1])
            processes = [process.pid for process in tree(own)]
            held = sum(proportional(pid) for pid in processes)
            print(
                f"a worker: {held:.0f} MiB in {len(processes)} processes, of which Dask's {proportional(own):.0f} MiB"
            )


def proportional(pid: int) -> float:
    """A process's memory in MiB, each page divided by those who share it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def finished(running: set[Future]) -> set[Future]:
    done = wait(running, return_when=FIRST_COMPLETED).done
    for future in done:
        future.result()
    return done


def handed_in(number: int, kb: int) -> Submission:
    return Submission(f"student-{number}", {"sums.py": random.randbytes(kb * 512).hex().encode()}, "")


def measure_gradings(size: int, workers: int) -> None:
    """Print the processor time of one grading, on this machine's engine and on a local cluster, both warm."""
    with tempfile.TemporaryDirectory() as name:
        course = Course(tiny_course.write_course(Path(name)))
        arguments = (course, course.assignment("tiny"))
        for label, start in (
            ("one machine", partial(LocalEngine, *arguments)),
            (f"local:{workers}", partial(ClusterEngine, *arguments, address=f"local:{workers}", tell=print)),
        ):
            with start(seed=1, jobs=workers) as engine:
                engine.wait_ready()
                grade_all(engine, SIZE_OF_START)
                before, began = cpu_seconds(), time.monotonic()
                own = grade_all(engine, size)
                each, seconds = (cpu_seconds() - before + own) / size, time.monotonic() - began
            told = f"{each:.2f} core-seconds a submission, of which the student's {own / size:.2f}"
            print(f"{label}: {told}; {3600 / each:.0f} a core-hour; {size / seconds:.1f} a second here", flush=True)


def measure_workers(assignment: str, size: int) -> None:
    """Print how fast 1, 2 and 4 workers grade, each warm; the last row shows what more workers than cores do."""
    course = Course(Path(__file__).parents[2])
    declared = course.assignment(assignment)
    files = {name: (course.solution(assignment) / name).read_bytes() for name in declared.files}
    table = Table(title=f"{assignment}: {size} submissions, {os.cpu_count()} cores", title_justify="left")
    for column in ("workers", "wall s each", "core-seconds each", "times as fast as one"):
        table.add_column(column, justify="right")
    alone = 0.0
    for workers in (1, 2, 4):
        address = f"local:{workers}"
        with ClusterEngine(course, declared, seed=1, jobs=workers, address=address, tell=print) as engine:
            engine.wait_ready()
            grade_all(engine, 2 * workers, files)
            before, began = cpu_seconds(), time.monotonic()
            own = grade_all(engine, size, files)
            seconds, used = time.monotonic() - began, cpu_seconds() - before
        alone = alone or seconds
        ratio = f"{alone / seconds:.2f}"
        table.add_row(str(workers), f"{seconds / size:.2f}", f"{(used + own) / size:.2f}", ratio)
    Console(width=100).print(table)


def grade_all(engine: ClusterEngine | LocalEngine, size: int, files: Mapping[str, bytes] = RIGHT) -> float:
    """Grade the right submission so often; gives the students' processor time."""
    futures = [engine.submit(Submission(f"student-{number}", files, "")) for number in range(size)]
    return sum(future.result().cpu_seconds for future in futures)


def cpu_seconds() -> float:
    """Processor time of this process, of all below it, and of those that they have waited for, as confined workers, which
    end with their namespace, are not."""
    return sum(process.cpu_seconds for process in tree(os.getpid()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("gradings", "workers", "worker", "scheduler"))
    parser.add_argument("--size", type=int, help="submissions (default 60, 12 of `workers`, 10000 of `scheduler`)")
    parser.add_argument("--assignment", default="house_prices", help="of `workers` (default house_prices)")
    parser.add_argument("--kb", type=int, default=50, help="of a submission (default 50)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="of the local cluster (default: cores)"
    )
    options = parser.parse_args()
    if options.what == "gradings":
        measure_gradings(options.size or 60, options.workers)
    elif options.what == "workers":
        measure_workers(options.assignment, options.size or 12)
    elif options.what == "worker":
        measure_worker()
    else:
        measure_scheduler(options.size or 10_000, options.kb)


if __name__ == "__main__":
    main()
