"""`grader verify`: what is right, what survives, what is remembered."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import msgspec
import numpy as np
import pytest
from released_course import SOLUTION, SUITE, write_released_course

from grader.course import Course
from grader.errors import GraderFault, UsageError
from grader.executor import LocalEngine
from grader.results import CheckResult, CheckStatus, Reading, SubmissionResult, SubmissionStatus
from grader.soundness.cases import Case, Draws, Kind, cases_of
from grader.soundness.mutants import Mutant, read_mutants
from grader.soundness.proving import MEMORY, prove
from grader.soundness.verdicts import Proof, Verdict

REAL = Course(Path(__file__).resolve().parents[1])
HALF = """
[[mutant]]
name = "half_of_it"
file = "fit.py"
find = "/ norm)"
replace = "/ norm / 2)"
why = "Divided once too often."
check = "fit.slope"
"""
HARMLESS = HALF.replace("half_of_it", "in_two_steps").replace("/ norm / 2)", "* (1 / norm))")
ALTERNATIVE = "def slope(x, y):\n    return sum(a * b for a, b in zip(x, y)) / sum(a * a for a in x)\n"


def write_cases(course: Course, mutants: str, alternative: str = ALTERNATIVE) -> None:
    """Put mutants and an alternative into the small course."""
    path = course.root / "tests" / "mutants" / "small.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mutants)
    folder = course.root / "tests" / "alternatives" / "small" / "by_hand"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fit.py").write_text(alternative)


@pytest.fixture
def course(tmp_path) -> Course:
    course = write_released_course(tmp_path / "course")
    write_cases(course, HALF)
    return course


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    """An engine for the small course as it is written; the suite is the same in every test that uses it."""
    course = write_released_course(tmp_path_factory.mktemp("small") / "course")
    with LocalEngine(course, course.assignment("small"), seed=1, jobs=2) as engine:
        engine.wait_ready()
        yield engine


FEW = Draws(solution=12, repeats=3, alternative=2, mutant=4)
GRADED = 1 + 12 + 3 + 2 + 1  # starter, solution, repeats, alternative, mutant


def verify(course: Course, engine, **options) -> Proof:
    """The small course's proof, with few draws."""
    return prove(course, "small", lambda: nullcontext(engine), seed=7, draws=FEW, **options)


def no_engine() -> None:
    raise AssertionError("nothing was to be graded")


def test_a_sound_suite(course, engine):
    told = []
    proof = verify(course, engine, on_verdict=lambda *now: told.append(now))
    assert proof.problems == proof.imprecise == []
    assert {(verdict.kind, verdict.name): verdict.lost for verdict in proof.verdicts} == {
        (Kind.STARTER, "starter"): ["fit.slope"],
        (Kind.SOLUTION, "solution"): [],
        (Kind.REPEAT, "repeat 1"): [],
        (Kind.REPEAT, "repeat 2"): [],
        (Kind.REPEAT, "repeat 3"): [],
        (Kind.ALTERNATIVE, "by_hand"): [],
        (Kind.MUTANT, "half_of_it"): ["fit.slope"],
    }
    assert [proof.right(kind) for kind in Kind] == [(1, 1), (12, 12), (3, 3), (1, 1), (1, 1)]
    assert sorted(verdict.seed for verdict in proof.of(Kind.SOLUTION)) == list(range(7, 19))
    assert {verdict.seed for verdict in proof.of(Kind.REPEAT)} == {7}
    assert (proof.new, proof.precision, proof.hints) == (GRADED, 1.0, {"half_of_it": 1})
    assert [name for name, _ in proof.slowest] == ["fit.slope"]
    assert sorted((done, total) for _, done, total in told) == [(n, GRADED) for n in range(1, GRADED + 1)]


def test_only_what_changed_is_graded_again(course, engine):
    first = verify(course, engine)
    again = prove(course, "small", no_engine, seed=8, draws=FEW)
    assert (again.new, again.verdicts) == (0, first.verdicts)
    write_cases(course, HALF + HARMLESS)
    more = verify(course, engine)
    assert more.new == 1
    assert more.problems == ["mutant in_two_steps: survives fit.slope"]
    assert verify(course, engine, every=True).new == GRADED + 1


@pytest.mark.parametrize("file", ["tests/hidden/small/recipes_noise.py", "fixtures/small/houses.csv"])
def test_a_change_of_the_suite_or_its_data_asks_everything_anew(course, engine, file):
    verify(course, engine)
    path = course.root / file
    path.write_text(path.read_text() + "\n")
    assert verify(course, engine).new == GRADED


def test_the_mutants_of_one_check_alone(course, engine):
    proof = verify(course, engine, only="fit.other")
    assert [verdict.kind for verdict in proof.verdicts] == [
        Kind.STARTER,
        *[Kind.SOLUTION] * 12,
        *[Kind.REPEAT] * 3,
        *[Kind.ALTERNATIVE] * 2,
    ]


def test_a_correct_solution_that_loses_a_check_is_a_false_failure(course, engine):
    write_cases(course, HALF, ALTERNATIVE.replace("a * a for", "a * a + 0.1 for"))
    proof = verify(course, engine)
    assert proof.problems == ["alternative by_hand: loses fit.slope on 2 of 2 draws (seed 7, 8)"]


def test_a_fault_of_the_grader_is_told_and_not_remembered(course, engine):
    class Failing:
        def wait_ready(self) -> None: ...

        def submit(self, submission, *, seed, checks):
            job = engine.submit(submission, seed=seed, checks=checks)
            if submission.student == "solution" and seed == 7:
                job.result()
                job = type(job)()
                job.set_exception(GraderFault("the host went away"))
            return job

    proof = verify(course, Failing())
    assert proof.problems == ["solution solution: grader_error: the host went away on 1 of 12 draws (seed 7)"]
    assert verify(course, engine).new == 1


def test_memory_of_another_version_is_no_obstacle(course, engine):
    (course.root / MEMORY).mkdir()
    (course.root / MEMORY / "small.json").write_text('{"a": 1}')
    assert verify(course, engine).new == GRADED


def verdict(kind: Kind, check: str = "", lost: tuple[str, ...] = (), fault: str = "") -> Verdict:
    return Verdict(kind, "x", check, list(lost), dict.fromkeys(["a.one", "a.two", "b.one"], 0.1), fault)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (verdict(Kind.STARTER, lost=("a.one", "a.two", "b.one")), ""),
        (verdict(Kind.STARTER, lost=("a.one", "b.one")), "has the points of 1 checks, which ask for nothing"),
        (verdict(Kind.SOLUTION), ""),
        (verdict(Kind.ALTERNATIVE, lost=("a.one",)), "loses a.one"),
        (verdict(Kind.MUTANT, "a.one", ("a.one", "b.one")), ""),
        (verdict(Kind.MUTANT, "a.one", ("a.two",)), "survives a.one"),
        (verdict(Kind.SOLUTION, fault="grader_error: gone"), "grader_error: gone"),
    ],
)
def test_verdicts(given, problem):
    assert given.problem == problem


def test_precision_counts_what_fails_elsewhere():
    own, other = verdict(Kind.MUTANT, "a.one", ("a.one", "a.two")), verdict(Kind.MUTANT, "a.one", ("a.one", "b.one"))
    assert (own.elsewhere, other.elsewhere) == ([], ["b.one"])
    one_in_twenty = [msgspec.structs.replace(own, name=str(number)) for number in range(19)] + [other]
    assert Proof("p", one_in_twenty, 0, {}, 10).problems == []
    assert Proof("p", one_in_twenty[1:], 0, {}, 10).problems == [
        "94.7% of the mutants fail their own task alone, expected 95%"
    ]


def test_a_verdict_is_what_the_result_says():
    checks = [
        CheckResult("a.one", "a", "One", CheckStatus.PASSED, 2, 2, seconds=0.5),
        CheckResult("a.two", "a", "Two", CheckStatus.FAILED, 0, 1, seconds=0.25),
    ]
    case = Case(Kind.MUTANT, "x", {}, "a.two")
    found = Verdict.of(case, SubmissionResult("p", "x", SubmissionStatus.GRADED, checks))
    assert (found.lost, found.seconds, found.problem) == (["a.two"], {"a.one": 0.5, "a.two": 0.25}, "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[mutant]]\nname = 3\n", "expected \\[\\[mutant\\]\\] tables"),
        ("mutant = [", "expected \\[\\[mutant\\]\\] tables"),
        (HALF + HALF, "found 'half_of_it' twice"),
        (HALF.replace("fit.py", "fat.py"), r"edits 'fat\.py', not one of fit\.py"),
        (HALF.replace("fit.slope", "fit.slop"), r"names the check 'fit\.slop', which the rubric does not have"),
    ],
)
def test_what_are_no_mutants_is_one_line(course, text, said):
    path = course.root / "tests" / "mutants" / "small.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_mutants(path, course.assignment("small"))


@pytest.mark.parametrize(("find", "times"), [("norm == 1", 0), ("norm", 3)])
def test_an_edit_that_does_not_fit_is_refused(find, times):
    mutant = Mutant("x", "fit.py", find, "", "", "fit.slope")
    with pytest.raises(UsageError, match=f"exactly once in fit.py, found it {times} times"):
        mutant.edited({"fit.py": SOLUTION.encode()})


@pytest.mark.slow
def test_the_command_ends_with_0_or_names_what_survives(course):
    """Breaking a check on purpose is noticed."""
    command = [Path(sys.executable).with_name("grader"), "verify", "--course", course.root, "--seed", "1"]
    sound = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert sound.returncode == 0, sound.stdout + sound.stderr
    assert "Sound, as far as these cases tell; seed 1." in sound.stdout
    assert SUITE.count("assert_close(") == 1
    suite = course.suite("small") / "test_fit.py"
    suite.write_text(SUITE.replace("wanted, ", "as_float(student.fit.slope(x, y), 'itself'), "))
    broken = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert broken.returncode == 1
    assert "small: mutant half_of_it: survives fit.slope" in broken.stdout
    assert broken.stderr.splitlines()[-1] == "grader: not sound: 1 problems; seed 1"


GAUGED = '''"""Hidden."""

import numpy as np

from grader.suite import as_float, check


@check(title="The slope is about the true one", hint="x @ y / x @ x")
def test_slope(student, rng, gauge):
    x = rng.normal(size=400)
    y = 2 * x + rng.normal(size=400)
    slope = as_float(student.fit.slope(x, y), "the slope of noisy points")
    gauge(slope / 2, "the slope is about right", at_least=0.7, at_most=MOST, unit=" times")
'''


@pytest.mark.parametrize(("most", "problems"), [(1.3, 0), (1.08, 1)])
def test_a_line_that_right_work_comes_near_is_narrow(course, most, problems):
    """A slope of noisy points wanders by 1 / √400, so by .025 of its 2: .3 is far enough, .08 is not."""
    (course.suite("small") / "test_fit.py").write_text(GAUGED.replace("MOST", str(most)))
    with LocalEngine(course, course.assignment("small"), seed=1, jobs=2) as engine:
        proof = verify(course, engine)
    (margin,) = proof.margins
    slopes = [(verdict.readings["fit.slope"][0].value) for verdict in proof.of(Kind.SOLUTION)]
    assert (margin.runs, len(set(slopes))) == (12, 12)
    assert margin.mean == pytest.approx(1, abs=0.03)
    assert margin.spread == pytest.approx(np.std(slopes, ddof=1))
    assert 0.01 < margin.spread < 0.05
    assert margin.nearest == pytest.approx(min(min(most - one, one - 0.7) for one in slopes) / margin.spread)
    assert [
        line for line in proof.problems if line.startswith("narrow: fit.slope: the slope is about right")
    ] == proof.problems
    assert len(proof.problems) == problems
    (missed,) = margin.missed  # half of it, on four draws
    assert (missed.name, len([v for v in proof.of(Kind.MUTANT) if not v.problem])) == ("half_of_it", 4)
    assert missed.mean == pytest.approx(0.5, abs=0.03)
    assert missed.distance == pytest.approx((0.7 - missed.mean) / missed.spread)


def test_repeats_that_differ_are_told():
    def again(name: str, value: float) -> Verdict:
        readings = {"a.one": [Reading("is small", value, at_most=1)]}
        return msgspec.structs.replace(verdict(Kind.REPEAT), name=name, readings=readings)

    proof = Proof("p", [again("repeat 1", 0.5), again("repeat 2", 0.5), again("repeat 3", 0.5000001)], 0, {}, 10)
    assert proof.problems == ["repeat 3: a.one measured otherwise than before"]
    assert proof.right(Kind.REPEAT) == (2, 3)


def test_repeats_are_graded_all_or_none(course, engine):
    verify(course, engine)
    more = Draws(solution=12, repeats=4, alternative=2, mutant=4)
    proof = prove(course, "small", lambda: nullcontext(engine), seed=99, draws=more)
    assert (proof.new, {verdict.seed for verdict in proof.of(Kind.REPEAT)}) == (4, {99})


def test_slow_checks_are_those_that_take_a_quarter_of_their_time():
    slow = msgspec.structs.replace(verdict(Kind.ALTERNATIVE), seconds={"a.one": 2.6, "a.two": 2.4})
    proof = Proof("p", [verdict(Kind.SOLUTION), slow], 0, {}, check_seconds=10)
    assert proof.slow == [("a.one", 2.6)]


@pytest.mark.parametrize("name", REAL.names)
def test_mutants_are_marked_by_their_own_task_and_those_that_use_it(name):
    few = Draws(solution=1, repeats=0, alternative=0)
    some, whole = (cases_of(REAL, name, few, whole=every) for every in (False, True))
    for part, all_of_it in zip(some, whole, strict=True):
        tasks = {check.partition(".")[0] for check in part.checks}
        assert part.kind is not Kind.MUTANT or part.check in part.checks
        assert part.kind is not Kind.MUTANT or next(f for f in part.files if f"{f}".startswith(tuple(tasks)))
        assert (all_of_it.checks, all_of_it.files) == ((), part.files)
