"""Faults on purpose: a class is graded while processes of the grader are killed at random moments, until it is through.

    python tests/attacks/faults.py [--kills 200] [--seed 1]

Prints a row for each kind of victim: how often it was killed, how often the command was started, and what was lost,
doubled, graded again although there was a whole result, or half written, compared with an undisturbed run.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from attacks.attack import hand_in, solution
from attacks.field import GRADER, Field, write_files

from grader.sandbox import processes

SEED = "7"
TASKS = ("measure", "learn", "draw")
UNLIKE = (
    "seconds",
    "cpu_seconds",
    "detail",
    "output",
)  # in two runs: by the clock, and by which of two ranks was first
MOST_STARTS = 400
LONGEST_RUN_SECONDS = 600
VICTIMS = ("grader", "host", "zygote", "job", "worker")


@dataclass
class Outcome:
    """What became of a class under fire."""

    kills: int = 0
    starts: int = 0
    again: list[str] = field(default_factory=list)
    """Who had a whole result and was graded again."""
    problems: list[str] = field(default_factory=list)


def seat_class(field: Field, size: int) -> None:
    """Honest students of every kind: all right, some tasks, wrong, chatty, unwritten."""
    full = {f"{task}.py": solution(task) for task in TASKS}
    kinds = [
        full,
        hand_in("measure"),
        {**full, "measure.py": solution("measure").replace("np.sum(values)", "np.sum(values) + 1")},
        {**full, "draw.py": "print('a word ' * 1000)\n" + solution("draw")},
        hand_in(),
    ]
    for number in range(size):
        files = {**kinds[number % len(kinds)], "notes.txt": f"student {number}"}
        write_files(field.handed_in / f"student-{number:03d}", files)


def command(field: Field, *more: str) -> list[str]:
    """The command that is started again and again."""
    places = [str(field.handed_in), "--course", str(field.course), "--out", str(field.out)]
    return [GRADER, "grade", "arena", *places, "--seed", SEED, "--jobs", "2", *more]


def start(field: Field, *more: str, **options: object) -> subprocess.Popen:
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, **options}
    return subprocess.Popen(command(field, *more), **options)


def results_of(out: Path) -> dict[str, dict]:
    """All results but what a clock says, by file name; one that is no whole JSON is `{}`."""
    return {path.name: _without_clocks(path) for path in sorted((out / "results").glob("*.json"))}


def _without_clocks(path: Path) -> dict:
    try:
        record = json.loads(path.read_bytes())
    except ValueError:
        return {}
    for part in (record, *record["checks"]):
        for key in UNLIKE:
            part.pop(key, None)
    return record


def rows_of(database: Path) -> list[tuple]:
    """Every grade in the gradebook with all that has a meaning: whose, of which check, and the points."""
    query = """
        select assignment.name, submitted_assignment.student_id, base_cell.name, grade_cells.max_score,
               grade.auto_score, grade.manual_score, grade.needs_manual_grade
        from grade
        join base_cell on base_cell.id = grade.cell_id
        join grade_cells on grade_cells.id = grade.cell_id
        join submitted_notebook on submitted_notebook.id = grade.notebook_id
        join submitted_assignment on submitted_assignment.id = submitted_notebook.assignment_id
        join assignment on assignment.id = submitted_assignment.assignment_id
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return sorted(connection.execute(query).fetchall(), key=str)


@dataclass(frozen=True)
class Undisturbed:
    """What a run gives that nothing happens to."""

    results: Mapping[str, dict]
    rows: Sequence[tuple]

    @classmethod
    def of(cls, field: Field) -> "Undisturbed":
        done = subprocess.run(command(field), capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the undisturbed run ended with {done.returncode}: {done.stdout}{done.stderr}")
        return cls(results_of(field.out), rows_of(field.out / "gradebook.db"))

    def problems_of(self, out: Path) -> list[str]:
        """How a folder differs from it."""
        results, rows = results_of(out), rows_of(out / "gradebook.db")
        problems = [f"lost: {name}" for name in self.results.keys() - results.keys()]
        problems += [f"half written: {name}" for name, result in results.items() if not result]
        problems += [f"differs: {name}: {what}" for name in results for what in self._differences(name, results[name])]
        problems += [f"not in the gradebook: {row}" for row in set(self.rows) - set(rows)]
        problems += [f"only in the gradebook: {row}" for row in set(rows) - set(self.rows)]
        problems += [f"double in the gradebook: {row}" for row in set(rows) if rows.count(row) > 1]
        problems += [f"left: {path.name}" for path in (out / "results").iterdir() if path.suffix != ".json"]
        return problems

    def _differences(self, name: str, result: Mapping[str, object]) -> list[str]:
        wanted = self.results.get(name, {})
        differing = [key for key in wanted if result and result.get(key) != wanted[key]]
        return [f"{key} {str(result.get(key))[:200]}, expected {str(wanted[key])[:200]}" for key in differing]


def victims(grader: int, kind: str) -> list[int]:
    """The processes of one kind below a running `grader grade`."""
    everything = processes.all_processes()
    children = [process.pid for process in everything.values() if process.parent == grader]
    hosts = [pid for pid in children if _says(pid, b"grader.host")]
    keepers = [pid for pid in children if _says(pid, b"root.py")]
    zygotes = [process.pid for process in everything.values() if process.parent in keepers]
    found = {
        "grader": [grader],
        "host": hosts,
        "zygote": [*keepers, *zygotes],
        "job": [process.pid for process in everything.values() if process.parent in hosts],
        "worker": [pid for zygote in zygotes for pid in _below(zygote, everything)],
    }
    return found[kind]


def _below(pid: int, everything: Mapping[int, processes.Process]) -> list[int]:
    return [process.pid for process in processes.tree(pid, everything)[1:] if process.running]


def _says(pid: int, words: bytes) -> bool:
    try:
        return words in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def under_fire(field: Field, kind: str, kills: int, draw: random.Random, wait: Callable[[], float]) -> Outcome:
    """Grade the class while victims of a kind are killed, `wait()` seconds apart, and start again what has ended."""
    outcome = Outcome()
    whole: dict[str, int] = {}
    while outcome.starts < MOST_STARTS:
        outcome.starts += 1
        grader = start(field)
        deadline, next_kill = time.monotonic() + LONGEST_RUN_SECONDS, time.monotonic() + wait()
        while grader.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
            if outcome.kills < kills and time.monotonic() >= next_kill and (found := victims(grader.pid, kind)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(found), signal.SIGKILL)
                    outcome.kills += 1
                next_kill = time.monotonic() + wait()
        if grader.poll() is None:
            grader.kill()
            outcome.problems.append("the command hung")
        said, _ = grader.communicate()
        now = written(field.out)
        outcome.again += [name for name in whole if now.get(name) != whole[name]]
        whole = {name: when for name, when in now.items() if _is_graded(field.out / "results" / name)}
        if grader.returncode == 0:
            if outcome.kills >= kills:
                break
            forget(field.out)
            whole = {}
        elif grader.returncode not in (1, -signal.SIGKILL):
            outcome.problems.append(f"ended with {grader.returncode}: {said[-500:]}")
    return outcome


def written(out: Path) -> dict[str, int]:
    """When each result was written."""
    return {path.name: path.stat().st_mtime_ns for path in (out / "results").glob("*.json")}


def _is_graded(path: Path) -> bool:
    return _without_clocks(path).get("status") == "graded"


def forget(out: Path) -> None:
    """Remove what a run has left: another one begins."""
    for path in [*(out / "results").glob("*"), *out.glob("gradebook.db*"), *out.glob("run.json")]:
        path.unlink()


def fire(kind: str, kills: int, *, size: int, seed: int) -> Outcome:
    """The whole of it for one kind of victim: an undisturbed run, one under fire, and the differences."""
    field, draw = Field(), random.Random(seed)
    seconds = {
        "grader": (0.5, 18.0),
        "host": (1.0, 25.0),
        "zygote": (1.0, 25.0),
        "job": (0.2, 0.8),
        "worker": (0.7, 1.5),
    }
    try:
        seat_class(field, size)
        expected = Undisturbed.of(field)
        forget(field.out)
        outcome = under_fire(field, kind, kills, draw, lambda: draw.uniform(*seconds[kind]))
        outcome.problems += expected.problems_of(field.out)
        return outcome
    finally:
        field.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="of each kind of victim (default 100)")
    parser.add_argument("--size", type=int, default=40, help="of the class (default 40)")
    parser.add_argument("--seed", type=int, default=1, help="of the moments and victims (default 1)")
    parser.add_argument("--victim", choices=VICTIMS, action="append", help="these alone")
    options = parser.parse_args()
    print(f"{'victim':<10}{'kills':>8}{'starts':>8}{'again':>8}{'lost, doubled, half, differing':>34}", flush=True)
    bad = 0
    for kind in options.victim or VICTIMS:
        outcome = fire(kind, options.kills, size=options.size, seed=options.seed)
        row = f"{kind:<10}{outcome.kills:>8}{outcome.starts:>8}{len(outcome.again):>8}{len(outcome.problems):>34}"
        print(row, *outcome.problems[:10], sep="\n    ", flush=True)
        bad += len(outcome.again) + len(outcome.problems)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
