"""What the broker, the host and its grading children say to each other."""

import socket
from dataclasses import replace

import msgspec

from grader.results import SubmissionResult
from grader.submission import Submission

RESULT, FAULT = b"R", b"F"  # first byte of what a grading child answers
MAX_MESSAGE = 1 << 20


class Job(msgspec.Struct, frozen=True):
    """A submission to be marked, whose files follow on the child's own socket."""

    student: str
    sandbox: str
    seed: int | None = None
    """Draw from this one instead of the run's."""
    checks: tuple[str, ...] = ()
    """Run these alone; all when there are none."""


class Ready(msgspec.Struct, frozen=True):
    """The host's first word: the checks' titles by name, or why there can be no grading."""

    titles: dict[str, str] = {}
    error: str = ""


def read_all(wire: socket.socket) -> bytes:
    """Everything until the other side has finished writing."""
    chunks = []
    while chunk := wire.recv(MAX_MESSAGE):
        chunks.append(chunk)
    return b"".join(chunks)


def told(submission: Submission, record: bytes) -> SubmissionResult:
    """The result in a record, with what reading the submission left to say.

    Raises:
        ValueError: it is no record of a result.
    """
    return replace(SubmissionResult.from_json(record), message="; ".join(submission.notes))
