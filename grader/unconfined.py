"""Grading without a sandbox, for code that one trusts and for systems that have none: one process a submission.

python -m grader.unconfined COURSE ASSIGNMENT SEED STUDENT [CHECK …] < files (msgpack) > result (JSON)
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from grader.course import Course
from grader.errors import GraderError
from grader.grading import grade
from grader.sandbox.remote import Handle, Summary
from grader.submission import Submission
from grader.suite.collection import with_suite
from grader.suite.in_process import InProcessSeat
from grader.suite.runner import Suite


class Unconfined:
    """The submission's code in this very process: nothing is limited, and only time is counted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started = time.process_time()
        self.output = b""

    @property
    def cpu_seconds(self) -> float:
        return time.process_time() - self._started

    def open_seat(self, wrap: Callable[[Handle | Summary], object]) -> InProcessSeat:
        return InProcessSeat(self._folder, wrap)


def grade_here(submission: Submission, suite: Suite, sandbox: str = "none", checks: Sequence[str] = ()) -> bytes:
    """Mark a submission in this process, by all checks or by those named; the result as JSON."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch).resolve()
        for name, content in submission.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return grade(submission, suite, Unconfined(folder), sandbox=sandbox, only=checks).to_json()


def main() -> int:
    """Grade the submission on standard input; print the result on what was standard output."""
    course, name, seed, student, checks = (
        Course(Path(sys.argv[1])),
        sys.argv[2],
        int(sys.argv[3]),
        sys.argv[4],
        sys.argv[5:],
    )
    files = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=dict[str, bytes])
    answer = os.dup(1)
    os.dup2(2, 1)  # what the student's code prints must not mix with the result
    results: list[bytes] = []
    try:
        submission = Submission(student, files, "")
        with_suite(course, name, seed, lambda suite: results.append(grade_here(submission, suite, checks=checks)))
    except GraderError as error:
        sys.stderr.write(f"{error}\n")  # the engine passes the last line on
        return 1
    with open(answer, "wb") as out:
        out.write(results[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
