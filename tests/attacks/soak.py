"""Many submissions in one run: does anything that lives long grow, and is anything left at the end?

    python tests/attacks/soak.py [--submissions 2000]

Prints resident memory (without files) and open descriptors of each long-lived process over the run.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from attacks.faults import results_of, seat_class, start, victims
from attacks.field import Field, adopted, adopting

from grader.sandbox import processes

MIB = 1 << 20
LONG_LIVED = ("grader", "host", "zygote")
PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Look:
    """One look at a process, after so many results."""

    results: int
    memory: int
    descriptors: int


@dataclass(frozen=True)
class Soak:
    """What was seen."""

    code: int
    looks: dict[str, list[Look]]
    results: int
    left: list[str]

    def growth(self, name: str) -> tuple[int, int]:
        """Bytes and descriptors that a process has at the last quarter's least beyond the second quarter's least.

        Least, since a grading that goes on at the moment of a look holds some.
        """
        looks = self.looks[name]
        early, late = looks[len(looks) // 4 : len(looks) // 2], looks[3 * len(looks) // 4 :]
        return tuple(
            min(getattr(look, what) for look in late) - min(getattr(look, what) for look in early)
            for what in ("memory", "descriptors")
        )


def soak(submissions: int) -> Soak:
    """Grade so many, and look at the long-lived processes every second."""
    field = Field()
    try:
        seat_class(field, submissions)
        looks = defaultdict(list)
        with adopting():
            grader = start(field, stdout=subprocess.DEVNULL)  # nobody reads while it runs, and the table is long
            while grader.poll() is None:
                time.sleep(PAUSE_SECONDS)
                done = len(list((field.out / "results").glob("*.json")))
                for kind in LONG_LIVED:
                    for number, pid in enumerate(victims(grader.pid, kind)):
                        if done and (found := look(pid, done)):
                            looks[f"{kind} {number}" if number else kind].append(found)
            left = adopted()
        return Soak(grader.returncode, dict(looks), len(results_of(field.out)), left)
    finally:
        field.close()


def look(pid: int, results: int) -> Look | None:
    try:
        return Look(results, processes.resident_memory(pid), len(os.listdir(f"/proc/{pid}/fd")))
    except OSError:
        return None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=2000)
    seen = soak(parser.parse_args().submissions)
    print(f"exit code {seen.code}, {seen.results} results, left over: {seen.left or 'nothing'}")
    print(f"{'process':<12}{'results':>10}{'MiB':>8}{'descriptors':>13}")
    for name, looks in seen.looks.items():
        for at in looks[:: max(1, len(looks) // 8)] + looks[-1:]:
            print(f"{name:<12}{at.results:>10}{at.memory / MIB:>8.1f}{at.descriptors:>13}")
        memory, descriptors = seen.growth(name)
        print(f"{name:<12}{'growth':>10}{memory / MIB:>8.1f}{descriptors:>13}")
    return seen.code


if __name__ == "__main__":
    sys.exit(main())
