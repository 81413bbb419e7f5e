"""What a run of `grader grade` leaves in its folder: `run.json`, and `results/<student>.json` for each student.

Of attempts with a name each has its record, `attempts/<student>/<attempt>.json`; that of the student is the one that counts.

Every file is written aside and renamed: a reader, and a later run, finds the old one or the new one, never a part.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from grader.aside import PART, write_aside
from grader.course import Assignment, Course
from grader.errors import GraderFault, UsageError
from grader.results import SubmissionResult, SubmissionStatus
from grader.submission import Submission, file_name
from grader.surroundings import Surroundings


class Terms(msgspec.Struct, frozen=True):
    """Digests of what lateness was settled by."""

    deadline: str
    extensions: str
    """Empty where they were those of a file outside of the course's folder."""


class Run(msgspec.Struct, frozen=True):
    """What all marks of a run have in common: where it is the same, they need not be given again."""

    assignment: str
    seed: int
    surroundings: str
    """SHA-256 of rubric, suite, fixture, grader and libraries."""
    parts: dict[str, str] = {}
    """The same by part, so that a later run can tell which checks another suite has changed."""
    proven: bool = False
    """The suite holds for what its seed draws, as far as right work and known mistakes tell."""
    terms: Terms | None = None
    """What all attempts have last been settled by; None before the run has come to its end."""

    @classmethod
    def of(cls, course: Course, assignment: Assignment, seed: int) -> "Run":
        """A run with what marks depend on now."""
        around = Surroundings.of(course, assignment)
        return cls(assignment.name, seed, hashlib.sha256(around.digest(()).encode()).hexdigest(), around.by_check)


class Brief(msgspec.Struct, frozen=True):
    """A result's first facts, read without the rest."""

    student: str
    status: SubmissionStatus
    seed: int = 0
    digest: str = ""
    surroundings: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class ResultStore:
    """The folder of one run's results, and of those that go on with it."""

    out: Path

    @property
    def folder(self) -> Path:
        return self.out / "results"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folders and hold them for this process, for the length of a `with`; what a killed run left is removed.

        Raises:
            UsageError: the place cannot be written, or another run writes to it.
        """
        from filelock import FileLock, Timeout

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.out / ".lock", timeout=0):
                for part in self.folder.glob(f".*{PART}"):
                    part.unlink()
                yield
        except Timeout:
            raise UsageError(f"expected {self.out} to be free, found another run writing to it; wait for it.") from None
        except OSError as error:
            raise UsageError(
                f"expected a folder to write results to, cannot use {self.out}: {error.strerror}."
            ) from None

    def earlier_run(self) -> Run | None:
        """The run whose results lie here; None where there is none."""
        try:
            return msgspec.json.decode((self.out / "run.json").read_bytes(), type=Run)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.out / 'run.json'} cannot be read: {error}; grade into another folder.") from None

    def begin(self, run: Run) -> None:
        """Note which run the results that follow belong to."""
        self._write(self.out / "run.json", msgspec.json.format(msgspec.json.encode(run), indent=2))

    def write(self, result: SubmissionResult, attempt: str = "") -> None:
        """Write one result: the student's, or that of an attempt.

        Raises:
            GraderFault: there is no room, or the place has become unwritable; the earlier results are whole.
        """
        self._write(self.place(result.student, attempt), result.to_json())

    def kept(
        self, submission: Submission, run: Run, elsewhere: Iterable[Path] = ()
    ) -> tuple[SubmissionResult, Path] | None:
        """The result that these very files have already got in this run, and where it lies: as this attempt's record, as the
        student's, or in one of the files `elsewhere`, whoever's it is; None where they are to be graded."""
        own = self.place(submission.student, submission.attempt)
        for place in dict.fromkeys((own, self.place(submission.student), *elsewhere)):
            result = self._found(place)
            if result is None or result.digest != submission.digest or result.status is not SubmissionStatus.GRADED:
                continue
            if (result.seed, result.surroundings) == (run.seed, run.surroundings):
                return result, place
        return None

    def earlier(self, student: str, attempt: str = "") -> SubmissionResult | None:
        """The record of a student, or of one of the attempts; None where there is none that can be read."""
        return self._found(self.place(student, attempt))

    def place(self, student: str, attempt: str = "") -> Path:
        """The file of a student's record, or of an attempt's."""
        if attempt:
            return self.out / "attempts" / file_name(student) / f"{file_name(attempt)}.json"
        return self.folder / f"{file_name(student)}.json"

    def _found(self, place: Path) -> SubmissionResult | None:
        try:
            return self._read(place)
        except (OSError, UsageError):
            return None

    def result_of(self, student: str) -> SubmissionResult:
        """One student's result.

        Raises:
            OSError: it cannot be read.
            UsageError: it is no result of this version.
        """
        return self._read(self.place(student))

    def results_of(self, students: Iterable[str]) -> Iterator[SubmissionResult]:
        """Their results, read one after the other."""
        return map(self.result_of, students)

    def briefs(self) -> Iterator[tuple[Path, Brief]]:
        """First facts of all records that can be read, those of attempts too, and where they lie."""
        for path in (*self.folder.glob("*.json"), *self.out.glob("attempts/*/*.json")):
            with suppress(OSError, ValueError):
                yield path, msgspec.json.decode(path.read_bytes(), type=Brief)

    def read(self) -> list[SubmissionResult]:
        """All results, sorted by student.

        Raises:
            UsageError: there are none, or one is not a result of this version.
        """
        return sorted(self.each(), key=lambda result: result.student)

    def each(self) -> Iterator[SubmissionResult]:
        """All students' results, read one after the other, in the order of their files' names.

        Raises:
            UsageError: there are none, or one is not a result of this version.
        """
        paths = sorted(self.folder.glob("*.json"))
        if not paths:
            raise UsageError(f"expected results of `grader grade … --out {self.out}`, found none in {self.folder}.")
        return map(self._read, paths)

    def _read(self, path: Path) -> SubmissionResult:
        try:
            return SubmissionResult.from_json(path.read_bytes())
        except ValueError as error:
            raise UsageError(f"{path} is not a result that this version can read: {error}.") from None

    def _write(self, target: Path, content: bytes) -> None:
        try:
            write_aside(target, content, folder=self.folder, durable=True)
        except OSError as error:
            raise GraderFault(
                f"{target} cannot be written ({error.strerror}); the results before it are whole: mend that, and run "
                "the same command again to go on."
            ) from None
