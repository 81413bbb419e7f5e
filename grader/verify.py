"""Prove a suite sound: grade what has known marks through the real engine, and remember the verdicts.

A verdict holds as long as nothing changes that it depends on: the case's files, the hidden suite and its fixtures, the rubric,
the grader itself, and the libraries. Only what changed is graded again.
"""

import hashlib
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, as_completed
from contextlib import AbstractContextManager
from importlib.metadata import distributions
from pathlib import Path
from typing import Protocol

import msgspec

import grader
from grader.course import Course
from grader.errors import GraderFault
from grader.results import SubmissionResult, SubmissionStatus
from grader.soundness import Case, Kind, Proof, Verdict, cases_of
from grader.submission import Submission

MEMORY = ".verify"
"""Folder of the course that remembers verdicts; it can be deleted at any time."""


class Engine(Protocol):
    """What grades a submission."""

    def wait_ready(self) -> None: ...
    def submit(self, submission: Submission) -> "Future[SubmissionResult]": ...


def verify(
    course: Course,
    name: str,
    start: Callable[[], AbstractContextManager[Engine]],
    *,
    every: bool = False,
    only: str = "",
    on_verdict: Callable[[Verdict, int, int], None] = lambda verdict, done, total: None,
) -> Proof:
    """Judge all cases of an assignment, and grade those whose verdict is not known.

    Args:
        course: where solutions, mutants and alternatives stand.
        name: of the assignment.
        start: opens an engine; not called when all is known.
        every: grade what is known, too.
        only: leave out mutants whose check's name does not begin with this.
        on_verdict: told of each new verdict, with how many are done and how many there will be.

    Raises:
        UsageError: a case that does not fit the assignment, or a suite that cannot be used.
    """
    around = _surroundings(course, name)
    keys = {case.digest(around): case for case in cases_of(course, name)}
    path = course.root / MEMORY / f"{name}.json"
    known = {} if every else {key: verdict for key, verdict in _remembered(path).items() if key in keys}
    chosen = {key: case for key, case in keys.items() if case.kind is not Kind.MUTANT or case.check.startswith(only)}
    asked = {key: case for key, case in chosen.items() if key not in known}
    try:
        for done, (key, verdict) in enumerate(_graded(asked, start) if asked else (), 1):
            known[key] = verdict
            on_verdict(verdict, done, len(asked))
    finally:
        _remember(path, {key: verdict for key, verdict in known.items() if not verdict.fault})
    return Proof(name, [known[key] for key in chosen], len(asked))


def _graded(
    asked: Mapping[str, Case], start: Callable[[], AbstractContextManager[Engine]]
) -> Iterator[tuple[str, Verdict]]:
    with start() as engine:
        engine.wait_ready()
        jobs = {engine.submit(Submission(case.name, case.files, case.name)): key for key, case in asked.items()}
        for job in as_completed(jobs):
            key = jobs[job]
            try:
                yield key, Verdict.of(asked[key], job.result())
            except GraderFault as fault:
                failed = SubmissionResult("", asked[key].name, SubmissionStatus.GRADER_ERROR, message=str(fault))
                yield key, Verdict.of(asked[key], failed)


def _surroundings(course: Course, name: str) -> str:
    """A digest of everything but the submission that marks depend on."""
    told = hashlib.sha256(f"{platform.python_version()} {platform.machine()}".encode())
    for package in sorted(f"{one.name} {one.version}" for one in distributions()):
        told.update(package.encode())
    package = Path(grader.__file__).parent
    files = [course.handout(name) / "assignment.toml", *package.rglob("*.py")]
    files += [path for folder in (course.suite(name), course.fixtures(name)) for path in folder.rglob("*")]
    for path in sorted(path for path in files if path.is_file() and "__pycache__" not in path.parts):
        told.update(f"\0{path.name}\0".encode() + path.read_bytes())
    return told.hexdigest()


def _remembered(path: Path) -> dict[str, Verdict]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Verdict])
    except (OSError, msgspec.DecodeError):  # none yet, or of another version: everything is graded again
        return {}


def _remember(path: Path, verdicts: Mapping[str, Verdict]) -> None:
    path.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as scratch:
        aside = Path(scratch, path.name)
        aside.write_bytes(msgspec.json.encode(dict(verdicts)))
        os.replace(aside, path)
