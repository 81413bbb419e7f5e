"""Gradescope's `results.json`: what its autograders write, from a result of ours.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from collections import Counter

from grader.declared import one_of
from grader.errors import GraderFault, UsageError
from grader.exports.texts import line, plain
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.settings import NAME as SETTINGS
from grader.settings import Shown

VISIBILITIES = ("hidden", "after_due_date", "after_published", "visible")
WHEN = {"always": "visible", "after due": "after_due_date", "never": "hidden"}
"""What `[shown]` says -> what Gradescope calls it."""
OUTCOMES = {
    CheckStatus.PASSED: "Passed.",
    CheckStatus.FAILED: "Failed.",
    CheckStatus.NOT_IMPLEMENTED: "Not written yet.",
    CheckStatus.UNUSABLE: "What came back could not be used.",
    CheckStatus.TIMEOUT: "Ran out of time.",
    CheckStatus.CRASHED: "The process ended during this check.",
    CheckStatus.NOT_RUN: "Not run.",
}


def as_shown(shown: Shown, visibility: str = "") -> tuple[str, bool]:
    """From when Gradescope shows checks, and whether with hints, by what a course shows when; `visibility` comes first.

    Gradescope shows a check and its hint at one time: hints that are to wait longer are left out.

    Raises:
        UsageError: points are shown from a time on, which Gradescope is told by nobody, or another visibility.
    """
    if not visibility and shown.points not in WHEN:
        raise UsageError(
            f"{SETTINGS} shows points from {shown.points.isoformat()} on, and Gradescope knows no such time: say --visibility "
            f"({', '.join(VISIBILITIES)})."
        )
    when = known_visibility(visibility) if visibility else WHEN[shown.points]
    return when, shown.hints == "always" or WHEN.get(shown.hints) == when


def known_visibility(name: str) -> str:
    """The name of a visibility.

    Raises:
        UsageError: Gradescope has none of this name.
    """
    return one_of("visibility", name, VISIBILITIES, where=" in Gradescope")


def results_json(result: SubmissionResult, visibility: str = "visible", *, hints: bool = True) -> dict:
    """What Gradescope is to show of a result: builtin types only, ready for `json.dumps`.

    `score` are the points with the bonus, less the penalty of the attempt that counts; it stands for the sum of the tests,
    which Gradescope would take otherwise. A test is a check, with its title, points, outcome and hint: the rest of a check
    stays with the instructor. `visibility` (one of `VISIBILITIES`) is that of all tests; the standard output stays hidden.
    Without `hints` no test says more than its outcome.

    Raises:
        GraderFault: the grader has failed on it, so that there is no score; an autograder that writes no results.json
            is shown as failed, which is what it is.
        UsageError: another visibility.
    """
    known_visibility(visibility)
    if result.status is SubmissionStatus.GRADER_ERROR:
        raise GraderFault(f"there is no score of {result.student!r}, on whom the grader failed: grade it again.")
    return {
        "score": final(result),
        "execution_time": round(result.seconds, 3),
        "output": _summary(result),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": visibility,
        "stdout_visibility": "hidden",
        "tests": [_test(check, number, visibility, hints=hints) for check, number in _numbered(result)],
    }


def final(result: SubmissionResult) -> float:
    """Points of the checks and the bonus, less the penalty of the attempt that counts; never below 0."""
    earned = (result.score or 0.0) + (result.bonus or 0.0)
    return round(max(0.0, earned - penalty(result)), 9)


def penalty(result: SubmissionResult) -> float:
    """Points that being late takes off."""
    return result.standing.attempt.penalty if result.standing else 0.0


def _numbered(result: SubmissionResult) -> list[tuple[CheckResult, str]]:
    """Each check with its number, the task's in the handout and its place in it: `3.2`; `B.1` for the bonus."""
    tasks, seen = result.tasks, Counter[str]()
    numbered = []
    for check in result.checks:
        task = tasks[check.task]
        head = "B" if task.bonus else str(task.number or list(tasks).index(check.task) + 1)
        seen[head] += 1
        numbered.append((check, f"{head}.{seen[head]}"))
    return numbered


def _test(check: CheckResult, number: str, visibility: str, *, hints: bool) -> dict:
    passed = check.status is CheckStatus.PASSED
    outcome = OUTCOMES[check.status]
    return {
        "name": line(check.title) or check.name,
        "number": number,
        "score": check.points,
        "max_score": check.max_points,
        "status": "passed" if passed else "failed",
        "output": plain(f"{outcome}\n{check.message}" if hints and check.message and not passed else outcome),
        "visibility": visibility,
    }


def _summary(result: SubmissionResult) -> str:
    """What stands above the tests: why an entry is invalid, or the points and how they come about."""
    if result.status is SubmissionStatus.INVALID:
        return plain(f"Could not be read as a submission: {result.message}")
    parts = [f"Points: {result.score:g} of {result.max_score:g}."]
    if result.max_bonus:
        parts.append(f"Bonus: {result.bonus:g} of {result.max_bonus:g}.")
    if off := penalty(result):
        parts.append(f"Late: {off:g} points taken off.")
    return " ".join(parts)
