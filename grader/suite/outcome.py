"""From what a check raised to its result: whose fault it was, and what each reader may see of it."""

import builtins

from grader.errors import GraderFault, LimitExceeded, NotAskedAgain, ProtocolError, TaskMissing, WorkerDied
from grader.results import CheckResult, CheckStatus
from grader.suite.assertions import CheckFailed
from grader.suite.checks import Rubric
from grader.suite.faults import StudentError

MAX_DETAIL = 4000

SENTENCES = {
    CheckStatus.PASSED: "",
    CheckStatus.FAILED: "The rule does not hold yet.",
    CheckStatus.NOT_IMPLEMENTED: "Not written yet.",
    CheckStatus.UNUSABLE: "What your code gave back could not be used; look at its type.",
    CheckStatus.TIMEOUT: "Stopped: it used more time or memory than allowed.",
    CheckStatus.CRASHED: "Your code ended the process that ran it.",
    CheckStatus.NOT_RUN: "Not run: the task's file was not handed in, or the time for the whole submission was used up.",
}
NOT_ASKED = (
    "Not tried: what it asks used more time or memory than allowed in earlier checks, whose hints say what it is about."
)


def status_of(error: BaseException | None, *, answered: bool = False) -> CheckStatus:
    """What an exception from a check means; `answered` says whether it had an answer of the student's code by then.

    Raises:
        GraderFault: it is neither the student's nor a failed assertion, and no answer could have provoked it.
    """
    match error:
        case None:
            return CheckStatus.PASSED
        case StudentError(not_implemented=True):
            return CheckStatus.NOT_IMPLEMENTED
        case StudentError() | CheckFailed() | AssertionError():
            return CheckStatus.FAILED
        case LimitExceeded():
            return CheckStatus.TIMEOUT
        case WorkerDied() | ProtocolError():
            return CheckStatus.CRASHED
        case TaskMissing():
            return CheckStatus.NOT_RUN
        case Exception() if answered and not isinstance(error, GraderFault):
            return CheckStatus.UNUSABLE
    raise GraderFault(f"the suite failed with {type(error).__name__}: {error}")


def result_of(
    rubric: Rubric, name: str, error: BaseException | None, seconds: float, *, answered: bool = False
) -> CheckResult:
    """The result of check `name`. `message` repeats nothing that the student's code said or was given."""
    status = status_of(error, answered=answered)
    check, points = rubric.checks[name], rubric.points(name)
    sentences, hint = [SENTENCES[status]], check.hint
    if isinstance(error, StudentError) and status is CheckStatus.FAILED:
        kind = _known_type(error.types)
        sentences = [f"Your code raised {kind}."]
        if error.importing:  # the hint is about something else
            sentences = [f"{error.importing} cannot be imported: it raises {kind}. `grader check` shows where."]
            hint = ""
    if isinstance(error, NotAskedAgain):
        sentences, hint = [NOT_ASKED], ""
    if hint and status not in (CheckStatus.PASSED, CheckStatus.NOT_IMPLEMENTED, CheckStatus.NOT_RUN):
        sentences.append(hint)
    return CheckResult(
        name=name,
        task=rubric.task_of(name).name,
        title=check.title,
        status=status,
        points=points if status is CheckStatus.PASSED else 0,
        max_points=points,
        message=" ".join(sentences),
        detail=_detail(error, status),
        seconds=round(seconds, 4),
    )


def not_run(rubric: Rubric, name: str, why: str) -> CheckResult:
    """A check that nothing was asked of."""
    return CheckResult(
        name=name,
        task=rubric.task_of(name).name,
        title=rubric.checks[name].title,
        status=CheckStatus.NOT_RUN,
        points=0,
        max_points=rubric.points(name),
        message=why,
    )


def _detail(error: BaseException | None, status: CheckStatus) -> str:
    """What the instructor reads."""
    if error is None:
        return ""
    if status is CheckStatus.UNUSABLE:
        return f"the check could not use what came back: {type(error).__name__}: {error}"[:MAX_DETAIL]
    return str(error)[:MAX_DETAIL]


def _known_type(types: tuple[str, ...]) -> str:
    """The nearest built-in class: a name made up by the student's code could carry what it has seen."""
    for name in types:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, BaseException):
            return name
    return "an exception"
