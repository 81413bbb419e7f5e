"""The language of checks: conversions first, comparisons after, and words that a student can use."""

import numpy as np
import pandas as pd
import pytest
import torch

from grader.errors import GraderFault, LimitExceeded, NotAskedAgain, ProtocolError, TaskMissing, WorkerDied
from grader.results import CheckStatus
from grader.sandbox.remote import Raised
from grader.suite import (
    CheckFailed,
    as_array,
    as_figure,
    as_float,
    as_frame,
    as_series,
    assert_close,
    assert_same,
    require,
    require_equal,
)
from grader.suite.faults import StudentError
from grader.suite.outcome import result_of, status_of


@pytest.mark.parametrize("value", [[1, 2.5], (1, 2.5), np.array([1, 2.5]), torch.tensor([1, 2.5]), pd.Series([1, 2.5])])
def test_numbers_come_in_many_kinds(value):
    np.testing.assert_array_equal(as_array(value, "it", shape=(2,)), [1, 2.5])
    assert_close(value, [1, 2.5], "it")


@pytest.mark.parametrize("value", [None, "12", {"a": 1}, object(), [[1], [1, 2]], ["x"], [None]])
def test_what_is_no_number_is_a_failed_check(value):
    with pytest.raises(CheckFailed):
        as_array(value, "it", shape=(2,))


@pytest.mark.parametrize("wrong", [[1.0, np.nan], [1.0, 2.1], [1.0], [[1.0, 2.0]], [1.0, np.inf]])
def test_wrong_values_and_shapes_fail(wrong):
    with pytest.raises(CheckFailed):
        assert_close(wrong, [1.0, 2.0], "it")


def test_more_numbers_than_can_be_judged_are_a_failed_check():
    with pytest.raises(CheckFailed, match="at most"):
        as_array(np.broadcast_to(np.uint8(1), (1 << 20, 1 << 10)), "it")


def test_nan_is_only_close_to_nan():
    assert_close([np.nan, 1], [np.nan, 1], "it")
    with pytest.raises(CheckFailed):
        assert_close([0.0, 1], [np.nan, 1], "it")
    with pytest.raises(CheckFailed):
        require(bool(float("nan") <= 3), "a NaN is below nothing")


@pytest.mark.parametrize("no_answer", [[0.0, 0.0], [np.nan, 1.0], [np.inf, 1.0], [], None])
def test_two_answers_are_only_the_same_if_they_are_answers(no_answer):
    assert_same([1.0, 2.0], [1.0, 2.0], "it")
    assert_same(3.0, 3.0, "it")
    for first, second in ((no_answer, no_answer), ([1.0, 2.0], no_answer), ([1.0, 2.0], [1.0, 2.5])):
        with pytest.raises(CheckFailed):
            assert_same(first, second, "it")


def test_require_takes_true_and_nothing_else():
    require(True, "holds")
    require(np.bool_(True), "holds")
    for value in (1, "yes", [1], None, np.bool_(False)):
        with pytest.raises(CheckFailed):
            require(value, "holds")


def test_require_equal_tells_both_sides():
    require_equal([1, 2.0, "three"], [1, 2, "three"], "the list is right")
    with pytest.raises(CheckFailed) as raised:
        require_equal({"a": 1}, {"a": 2}, "the dictionary is right", "a case")
    assert (
        str(raised.value)
        == "Rule:     the dictionary is right\nCase:     a case\nExpected: {'a': 2}\nGot:      {'a': 1}"
    )
    for got, expected in ((float("nan"), float("nan")), (np.array([1, 2]), [1, 2]), (None, 0)):
        with pytest.raises(CheckFailed):
            require_equal(got, expected, "the same")


def test_other_kinds():
    frame = pd.DataFrame({"a": [1]})
    assert as_frame(frame, "it") is frame
    for convert, value in ((as_frame, [1]), (as_series, frame), (as_figure, None), (as_float, [1.0])):
        with pytest.raises(CheckFailed):
            convert(value, "it")
    with pytest.raises(CheckFailed, match="distinct"):
        as_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]), "it")


def test_a_failure_says_rule_case_expected_and_got():
    with pytest.raises(CheckFailed) as failed:
        assert_close([1.0, 3.0], [1.0, 2.0], "the weight", case="batch of 4")
    lines = str(failed.value).splitlines()
    assert [line.split(":")[0] for line in lines] == ["Rule", "Case", "Expected", "Got"]
    assert "batch of 4" in lines[1]


def raised(*types: str) -> StudentError:
    return StudentError("train.train", Raised((*types, "Exception", "BaseException"), "boom", ("train.py:3 in train",)))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (None, CheckStatus.PASSED),
        (CheckFailed("rule"), CheckStatus.FAILED),
        (AssertionError("x"), CheckStatus.FAILED),
        (raised("ValueError"), CheckStatus.FAILED),
        (raised("NotImplementedError", "RuntimeError"), CheckStatus.NOT_IMPLEMENTED),
        (LimitExceeded("10 s"), CheckStatus.TIMEOUT),
        (WorkerDied("exit 3"), CheckStatus.CRASHED),
        (ProtocolError("nonsense"), CheckStatus.CRASHED),
        (TaskMissing("train.py"), CheckStatus.NOT_RUN),
    ],
)
def test_each_fault_has_its_status(error, status):
    assert status_of(error) is status


@pytest.mark.parametrize("error", [TypeError("x"), KeyError("y"), GraderFault("z"), ZeroDivisionError()])
def test_what_no_answer_can_have_provoked_is_our_fault(error):
    with pytest.raises(GraderFault):
        status_of(error)


def test_what_an_answer_provoked_is_an_unusable_answer():
    assert status_of(TypeError("x"), answered=True) is CheckStatus.UNUSABLE
    with pytest.raises(GraderFault):
        status_of(GraderFault("z"), answered=True)


class FakeRubric:
    """One check of three points."""

    def __init__(self) -> None:
        from grader.suite.checks import Check

        self.checks = {"train.step": Check("the rule", "the hint")}

    def points(self, name: str) -> float:
        return 3

    def task_of(self, name: str):
        from grader.course import Task

        return Task(number=3, name="train", title="t", checks={"step": 3})


def test_students_read_nothing_that_their_code_could_have_written():
    error = raised("SecretInName_1_2_3", "ValueError")
    result = result_of(FakeRubric(), "train.step", error, 0.1)
    assert result.message == "Your code raised ValueError. the hint"
    assert "boom" in result.detail, "the instructor reads all of it"
    secret = CheckFailed("rule", expected=[0.123456], got="secret")
    assert "secret" not in result_of(FakeRubric(), "train.step", secret, 0.1).message


def test_a_file_that_cannot_be_imported_is_said_once_for_what_it_is():
    error = raised("SecretInName", "SyntaxError")
    error.importing = "train.py"
    result = result_of(FakeRubric(), "train.step", error, 0.1)
    assert result.message == "train.py cannot be imported: it raises SyntaxError. `grader check` shows where."
    assert result.status is CheckStatus.FAILED


def test_a_check_that_was_not_tried_does_not_say_that_it_was_stopped():
    result = result_of(FakeRubric(), "train.step", NotAskedAgain("stopped in 2 earlier checks: train.fit"), 0.0)
    assert result.status is CheckStatus.TIMEOUT
    assert result.message.startswith("Not tried:")
    assert "stopped in 2 earlier checks" in result.detail


def test_only_a_passed_check_has_points():
    assert result_of(FakeRubric(), "train.step", None, 0.1).points == 3
    assert result_of(FakeRubric(), "train.step", CheckFailed("rule"), 0.1).points == 0
