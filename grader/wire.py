"""What the broker, the host and its grading children say to each other.

A grading child writes `C<check>` at the beginning of each check and `A` once the student's code has answered in it, a line
each; at last `R` and a result, or `F` and a fault. One that hangs is ended by a watchdog whose last words begin with T.
"""

import socket
from dataclasses import replace
from typing import NamedTuple

import msgspec

from grader.results import SubmissionResult
from grader.submission import Submission

CHECK, ANSWER, RESULT, FAULT, HUNG = b"C", b"A", b"R", b"F", b"Timeout ("
MAX_MESSAGE = 1 << 20
EXHIBITS = "exhibits"
"""What a child says in the place of a check when these follow, after all checks."""


class Job(msgspec.Struct, frozen=True):
    """A submission to be marked, whose files follow on the child's own socket."""

    student: str
    sandbox: str
    seed: int | None = None
    """Draw from this one instead of the run's."""
    checks: tuple[str, ...] = ()
    """Run these alone; all when there are none."""
    given_up: tuple[str, ...] = ()
    """What came back in these takes too long to judge: they get no points, and are not run again."""
    exhibits: bool = False
    """Show what the code computes, too."""


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


class Said(NamedTuple):
    """What a grading child has said in all."""

    check: str
    """The one that ran last."""
    answered: bool
    """The student's code had answered in it."""
    last: bytes
    """A result, a fault, a watchdog's words, or nothing."""


def heard(words: bytes) -> Said:
    """Progress and last words told apart."""
    check, answered = "", False
    while words.startswith((CHECK, ANSWER)):
        line, _, words = words.partition(b"\n")
        if line.startswith(CHECK):
            check, answered = line[len(CHECK) :].decode(), False
        else:
            answered = True
    return Said(check, answered, words)


def told(submission: Submission, record: bytes) -> SubmissionResult:
    """The result in a record, with what reading the submission left to say.

    Raises:
        ValueError: it is no record of a result.
    """
    return replace(SubmissionResult.from_json(record), message="; ".join(submission.notes))
