"""Every attack, by the real command, beside an honest neighbour: nothing is gained, learned, broken or left behind."""

import os
from collections.abc import Iterator

import pytest
from attacks.attack import Attack, Plain
from attacks.field import (
    AS_SOMEBODY,
    FULL_POINTS,
    NEIGHBOUR,
    ORDINARY_USER,
    REFUSING,
    Aftermath,
    Field,
)
from attacks.plain import PlainGrader
from attacks.table import FAMILIES, PAGE, page_with_table
from attacks.tally import TALLY

from grader.host import TRIES_AFTER_KILL
from grader.results import CheckStatus, SubmissionStatus

NIGHTLY = [pytest.mark.slow, pytest.mark.nightly]
LONG = {"deny_service"}  # what is to take long takes its time
EVERY = [
    pytest.param(family, attack, id=f"{family}-{attack.name}", marks=NIGHTLY if family in LONG else ())
    for family in FAMILIES
    for attack in FAMILIES[family]
]
CPU_SECONDS, CPU_SLACK = 5, 3  # of a submission in the arena, and what may pass between two looks on both cores
MOST_CPU_SECONDS = (1 + TRIES_AFTER_KILL) * (CPU_SECONDS + CPU_SLACK)

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
WHO = [
    pytest.param("myself", id="myself"),
    pytest.param("ordinary", id="ordinary", marks=[*NIGHTLY, ROOT_ONLY]),
    pytest.param("fallback", id="fallback", marks=NIGHTLY),
]


@pytest.fixture(scope="module", params=WHO)
def aftermath(request) -> Aftermath:
    """One run with all the attacks that were asked for, by somebody."""
    chosen = {item.callspec.params["attack"].name for item in request.session.items if _is_attack(item, request.param)}
    attacks = [attack for family in FAMILIES.values() for attack in family if attack.name in chosen or not chosen]
    field = Field()
    try:
        field.seat(attacks)
        if os.geteuid() == 0 and request.param != "myself":
            field.own(ORDINARY_USER)
            prefix = [*AS_SOMEBODY, "ordinary" if request.param == "ordinary" else "no-namespaces"]
        else:
            prefix = REFUSING if request.param == "fallback" else []
        yield field.run(prefix)
    finally:
        field.close()


def test_names_are_told_apart() -> None:
    names = [case.values[1].name for case in EVERY]
    assert len(names) == len(set(names))


def test_the_table_of_the_security_page_is_in_step() -> None:
    page = PAGE.read_text("utf-8")
    assert page == page_with_table(page), "run: python tests/attacks/table.py"


def _is_attack(item: pytest.Item, who: str) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    return "attack" in params and params.get("aftermath") == who


def test_the_run_is_whole(aftermath: Aftermath, request) -> None:
    """Exit code 0, nothing left, nothing changed, nobody called, no secret told."""
    level = "landlock" if request.node.callspec.params["aftermath"] == "fallback" else "namespaces"
    assert aftermath.code == 0, aftermath.said[-3000:]
    assert f"Sandbox {level}" in aftermath.said or "Sandbox namespaces refused" in aftermath.said
    graded = [result for result in aftermath.results.values() if result.status is SubmissionStatus.GRADED]
    assert {result.sandbox for result in graded} == {level}
    assert aftermath.left_processes == []
    assert aftermath.left_files == []
    assert aftermath.changed_files == []
    assert set(aftermath.callers) <= ({"loopback"} if level == "landlock" else set())
    assert aftermath.secrets.found_in(aftermath.said) == {"command_line"} & aftermath.secrets.found_in(aftermath.said)


@pytest.mark.parametrize(("family", "attack"), EVERY)
def test_attack(aftermath: Aftermath, family: str, attack: Attack, request) -> None:
    """It gets what its honest part is worth, tells of no secret, costs no more than allowed; the neighbour gets all."""
    result, neighbour = aftermath.results[attack.name], aftermath.results[NEIGHBOUR.format(attack.name)]
    learned = aftermath.secrets.found_in(aftermath.raw[attack.name])
    if request.node.callspec.params["aftermath"] == "fallback":
        learned -= attack.learns_at_fallback
    hurt = [check.name for check in neighbour.checks if check.status is not CheckStatus.PASSED]
    tally = request.config.stash.setdefault(TALLY, {})
    tally[request.node.callspec.params["aftermath"], family, attack.name] = {
        "gained": max(0.0, (result.score or 0) - attack.earns),
        "learned": len(learned),
        "hurt": bool(hurt),
        "cpu": result.cpu_seconds,
        "wall": result.seconds,
    }
    outcome = {check.name: f"{check.status} {check.detail}" for check in result.checks if check.points == 0}
    assert result.status is not SubmissionStatus.GRADER_ERROR, result.message
    assert result.score == attack.earns or (attack.may_cost_itself and result.score < attack.earns), outcome
    assert aftermath.gradebook[attack.name] == result.score
    assert learned == set()
    assert result.cpu_seconds <= MOST_CPU_SECONDS
    assert (neighbour.score, hurt) == (FULL_POINTS, [])


@pytest.fixture(scope="module")
def plain() -> Iterator[PlainGrader]:
    with PlainGrader() as grader:
        yield grader


TRIED = [case for case in EVERY if case.values[1].plain is not Plain.UNTRIED]


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.parametrize(("family", "attack"), TRIED)
def test_it_is_a_real_attack(plain: PlainGrader, family: str, attack: Attack) -> None:
    """Where student code shares the judge's process, the attack achieves something: it is no straw man."""
    outcome = plain.outcome(attack)
    if not outcome.achieved(attack):  # it may have to be there before the libraries are
        outcome = plain.outcome(attack, cold=True)
    assert outcome.achieved(attack), f"{outcome.points} points, {sorted(outcome.learned)} learned\n{outcome.said}"
