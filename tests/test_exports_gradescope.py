"""Gradescope's results.json, read as its specification says.

Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

import json

import msgspec
import pytest
from marked import FULL, SECRETS, late, result

from grader.errors import GraderFault, UsageError
from grader.exports.gradescope import OUTCOMES, VISIBILITIES, results_json
from grader.results import CheckStatus, SubmissionStatus


class GradescopeTest(msgspec.Struct, forbid_unknown_fields=True):
    """A test case, by the specification; keys it does not know are refused."""

    name: str
    number: str
    score: float
    max_score: float
    status: str
    output: str
    visibility: str


class GradescopeResults(msgspec.Struct, forbid_unknown_fields=True):
    """The file, by the specification."""

    score: float
    execution_time: float
    output: str
    output_format: str
    test_output_format: str
    test_name_format: str
    visibility: str
    stdout_visibility: str
    tests: list[GradescopeTest]


def read(found: dict) -> GradescopeResults:
    """As Gradescope would: through JSON, by the specification, with values that it knows alone."""
    data = json.dumps(found, allow_nan=False)
    read_back = msgspec.json.decode(data.encode(), type=GradescopeResults)
    assert not any(secret in data for secret in SECRETS)
    assert {read_back.visibility, read_back.stdout_visibility} <= set(VISIBILITIES)
    for test in read_back.tests:
        assert test.status in ("passed", "failed")
        assert test.visibility in VISIBILITIES
    return read_back


def test_all_points_with_the_bonus_on_top():
    found = read(results_json(result("ada")))
    assert found.score == 110
    assert found.execution_time == 1.5
    assert [(test.number, test.score, test.max_score, test.status) for test in found.tests] == [
        ("1.1", 10, 10, "passed"),
        ("1.2", 20, 20, "passed"),
        ("2.1", 70, 70, "passed"),
        ("B.1", 10, 10, "passed"),
    ]
    assert found.tests[0].name == "The table has its rows & columns"
    assert found.output == "Points: 100 of 100. Bonus: 10 of 10."


@pytest.mark.parametrize("status", [status for status in CheckStatus if status is not CheckStatus.PASSED])
def test_what_did_not_pass_says_how_it_ended_and_its_hint(status):
    found = read(results_json(result("ada", {**FULL, "train.fit": 0}, ends={"train.fit": status})))
    test = found.tests[2]
    assert (test.status, test.score) == ("failed", 0)
    outcome, hint = test.output.split("\n")
    assert outcome.endswith(".")
    assert hint == "hint"
    assert found.score == 40


def test_the_outcomes_are_told_apart():
    told = {
        results_json(result("ada", {}, ends=dict.fromkeys(FULL, status)))["tests"][0]["output"]
        for status in CheckStatus
    }
    assert len(told) == len(CheckStatus)


@pytest.mark.parametrize("visibility", VISIBILITIES)
def test_all_tests_are_as_visible_as_asked_and_standard_output_never_is(visibility):
    found = read(results_json(result("ada"), visibility))
    assert {found.visibility, *(test.visibility for test in found.tests)} == {visibility}
    assert found.stdout_visibility == "hidden"


def test_without_hints_a_test_says_its_outcome_alone():
    told = read(results_json(result("ada", {}), hints=False))
    assert {test.output for test in told.tests} == {OUTCOMES[CheckStatus.FAILED]}
    with_hints = read(results_json(result("ada", {})))
    assert all(test.output.startswith(OUTCOMES[CheckStatus.FAILED] + "\n") for test in with_hints.tests)


def test_an_unknown_visibility_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'after_due_date'"):
        results_json(result("ada"), "after_duedate")


def test_a_penalty_is_taken_off_and_said():
    found = read(results_json(result("ada", standing=late(110, 11))))
    assert found.score == 99
    assert found.output.endswith("Late: 11 points taken off.")


def test_an_invalid_submission_has_zero_and_its_reason():
    invalid = result("ada", {}, SubmissionStatus.INVALID, "the zip is damaged")
    found = read(results_json(invalid))
    assert found.score == 0
    assert "the zip is damaged" in found.output


def test_a_fault_of_the_graders_is_no_score():
    with pytest.raises(GraderFault, match="grade it again"):
        results_json(result("ada", status=SubmissionStatus.GRADER_ERROR, message="sandbox"))


def test_hostile_words_are_text_that_can_be_encoded():
    words = "a\x1b[31m \x00 \ud800 \u202eevil <b>x</b>\r\nnext"
    found = read(results_json(result("ada", {}, hints=words)))
    assert found.tests[0].output == "Failed.\na�[31m � � �evil <b>x</b>\nnext"
    assert {found.output_format, found.test_output_format, found.test_name_format} == {"text"}
