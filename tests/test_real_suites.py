"""The real hidden suites, short of the whole proof that `grader verify` gives: right work is right, each mistake is found."""

from pathlib import Path

import pytest

from grader.course import Course
from grader.executor import LocalEngine
from grader.soundness.cases import Draws, Kind, cases_of
from grader.soundness.verdicts import Verdict
from grader.submission import Submission

COURSE = Course(Path(__file__).resolve().parents[1])
ONCE = Draws(solution=1, repeats=0, alternative=1, mutant=1)


@pytest.fixture(scope="module", params=COURSE.names)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def engine(name):
    with LocalEngine(COURSE, COURSE.assignment(name), seed=29, jobs=2) as engine:
        engine.wait_ready()
        yield engine


def test_there_are_enough_of_each_kind_and_each_check_is_named_by_a_mutant(name):
    cases, assignment = cases_of(COURSE, name, ONCE), COURSE.assignment(name)
    kinds = [case.kind for case in cases]
    assert kinds.count(Kind.ALTERNATIVE) >= 20
    assert kinds.count(Kind.MUTANT) >= 100
    checks = {f"{task.name}.{check}" for task in assignment.task for check in task.checks}
    assert checks - {case.check for case in cases} == set()


@pytest.mark.slow
def test_correct_solutions_in_other_hands_have_full_marks(name, engine):
    cases = [case for case in cases_of(COURSE, name, ONCE) if case.kind is Kind.ALTERNATIVE]
    jobs = {case.name: engine.submit(Submission(case.name, case.files, "")) for case in cases}
    marks = {hand: (job.result().score, job.result().bonus) for hand, job in jobs.items()}
    assert marks == dict.fromkeys(jobs, (100, 10))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_each_mutant_fails_the_check_that_it_names(name, engine):
    """By that check alone, which is quick; `grader verify` runs all that a mutant can change."""
    cases = [case for case in cases_of(COURSE, name, ONCE) if case.kind is Kind.MUTANT]
    jobs = [engine.submit(Submission(case.name, case.files, ""), checks=(case.check,)) for case in cases]
    verdicts = [Verdict.of(case, job.result()) for case, job in zip(cases, jobs, strict=True)]
    assert [verdict.name for verdict in verdicts if verdict.problem] == []
