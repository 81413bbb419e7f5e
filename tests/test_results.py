"""The record that crosses every boundary: what it sums, what it keeps, what it refuses."""

import json

import msgspec
import pytest

from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus


def check(task: str, name: str, points: float, max_points: float) -> CheckResult:
    status = CheckStatus.PASSED if points else CheckStatus.FAILED
    return CheckResult(f"{task}.{name}", task, name, status, points, max_points, detail="expected 1\ngot <b>2</b>")


GRADED = SubmissionResult(
    "house_prices",
    "Søren O'Neill",
    SubmissionStatus.GRADED,
    [check("explore", "a", 2, 2), check("explore", "b", 0, 3), check("bonus", "c", 4, 4)],
    bonus_tasks=["bonus"],
    seed=7,
)


def test_the_bonus_stands_beside_the_score():
    assert (GRADED.score, GRADED.max_score, GRADED.bonus, GRADED.max_bonus) == (2, 5, 4, 4)
    assert {name: (t.points, t.max_points, t.bonus) for name, t in GRADED.tasks.items()} == {
        "explore": (2, 5, False),
        "bonus": (4, 4, True),
    }


def test_a_fault_of_the_grader_is_no_zero():
    fault = SubmissionResult("house_prices", "ada", SubmissionStatus.GRADER_ERROR, message="the sandbox went away")
    assert fault.score is None
    assert fault.bonus is None
    assert json.loads(fault.to_json())["score"] is None


def test_json_there_and_back():
    record = GRADED.to_json()
    assert SubmissionResult.from_json(record) == GRADED
    plain = json.loads(record)
    assert plain["version"] == 1
    assert (plain["score"], plain["max_score"], plain["bonus"]) == (2, 5, 4)
    assert plain["tasks"]["explore"] == {"points": 2, "max_points": 5, "bonus": False, "number": 0}


@pytest.mark.parametrize(
    "change",
    [{"version": 2}, {"status": "excellent"}, {"checks": [{"name": 1}]}, {"seed": "many"}],
)
def test_a_record_of_another_kind_is_refused(change):
    with pytest.raises(msgspec.ValidationError):
        SubmissionResult.from_json(json.dumps({**json.loads(GRADED.to_json()), **change}).encode())


def test_sums_in_the_file_are_not_believed():
    lying = {**json.loads(GRADED.to_json()), "score": 100, "tasks": {"explore": {"points": 100}}}
    assert SubmissionResult.from_json(json.dumps(lying).encode()).score == 2
