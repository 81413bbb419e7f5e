"""The engine without a sandbox, for code that one would run oneself: the only one where there is no Linux."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import msgspec

from grader.course import Assignment, Course
from grader.errors import GraderFault
from grader.pace import cores
from grader.results import SubmissionResult
from grader.submission import Submission
from grader.wire import told


class TrustingEngine:
    """Grades submissions without a sandbox, each in a process of its own: for code that one would run oneself."""

    def __init__(self, course: Course, assignment: Assignment, *, seed: int, jobs: int | None = None) -> None:
        self._arguments = [str(course.root), assignment.name, str(seed)]
        self._seconds = assignment.limits.submission_seconds * assignment.limits.wall_slack
        self.jobs = jobs or cores()
        self.titles: Mapping[str, str] = {}
        self.sandbox = "none: the submissions are trusted"
        self._threads = ThreadPoolExecutor(self.jobs, thread_name_prefix="job")

    def wait_ready(self) -> None:
        """There is nothing to wait for."""

    def submit(self, submission: Submission, *, checks: Sequence[str] = ()) -> "Future[SubmissionResult]":
        """Grade one submission; the future raises GraderFault when its process gave no result.

        `checks` names those that are to run instead of all.
        """
        return self._threads.submit(self._grade, submission, checks)

    def close(self) -> None:
        """Wait for what is being graded, and leave the rest."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> "TrustingEngine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _grade(self, submission: Submission, checks: Sequence[str]) -> SubmissionResult:
        command = [sys.executable, "-m", "grader.unconfined", *self._arguments, submission.student, *checks]
        files = msgspec.msgpack.encode(dict(submission.files))
        try:
            done = subprocess.run(command, input=files, capture_output=True, timeout=self._seconds)
            return told(submission, done.stdout)
        except subprocess.TimeoutExpired:
            raise GraderFault(
                f"its process did not end within {self._seconds:g} s, and nothing here can tell why"
            ) from None
        except ValueError:
            words = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
            raise GraderFault(f"its process gave no result: {' '.join(words) or done.returncode}") from None
