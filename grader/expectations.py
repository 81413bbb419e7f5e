"""What an example class must get, written by hand, and where the results differ from it."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from grader.errors import UsageError
from grader.results import SubmissionResult


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one submission must get; `why` says what kind of submission it is."""

    why: str
    status: str
    score: float | None
    bonus: float | None


def read_expectations(path: Path) -> dict[str, Expectation]:
    """Expectations by student.

    Raises:
        UsageError: not a file of expectations.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Expectation])
    except OSError as error:
        raise UsageError(f"expected a JSON file of expectations, cannot read {path}: {error.strerror}.") from None
    except msgspec.DecodeError as error:
        raise UsageError(f"{path}: expected why, status, score and bonus for each student: {error}.") from None


def differences(expected: Mapping[str, Expectation], results: Iterable[SubmissionResult]) -> list[str]:
    """A line for each student whose result is missing, unexpected or other than expected."""
    found = {result.student: result for result in results}
    lines = [f"{student}: expected a result, found none" for student in expected if student not in found]
    lines += [f"{student}: found a result, expected none" for student in found if student not in expected]
    for student, wanted in expected.items():
        got = found.get(student)
        if got is None or (got.status, got.score, got.bonus) == (wanted.status, wanted.score, wanted.bonus):
            continue
        lost = ", ".join(check.name for check in got.checks if check.points < check.max_points)
        lines.append(
            f"{student} ({wanted.why}): expected {wanted.status} {_points(wanted.score)} + {_points(wanted.bonus)}, "
            f"found {got.status} {_points(got.score)} + {_points(got.bonus)}; lost: {lost or 'nothing'}; {got.message}"
        )
    return lines


def _points(points: float | None) -> str:
    return "–" if points is None else f"{points:g}"
