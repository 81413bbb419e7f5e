"""`grader verify`: what is right, what survives, what is remembered."""

import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from released_course import SOLUTION, SUITE, write_released_course

from grader.course import Course
from grader.errors import GraderFault, UsageError
from grader.executor import LocalEngine
from grader.mutants import Mutant, read_mutants
from grader.results import CheckResult, CheckStatus, SubmissionResult, SubmissionStatus
from grader.soundness import Case, Kind, Proof, Verdict, cases_of
from grader.verify import MEMORY, verify

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


def no_engine() -> None:
    raise AssertionError("nothing was to be graded")


def test_a_sound_suite(course, engine):
    told = []
    proof = verify(course, "small", lambda: nullcontext(engine), on_verdict=lambda *now: told.append(now))
    assert proof.problems == proof.imprecise == []
    assert {(verdict.kind, verdict.name): verdict.lost for verdict in proof.verdicts} == {
        (Kind.STARTER, "starter"): ["fit.slope"],
        (Kind.SOLUTION, "solution"): [],
        (Kind.ALTERNATIVE, "by_hand"): [],
        (Kind.MUTANT, "half_of_it"): ["fit.slope"],
    }
    assert (proof.new, proof.precision) == (4, 1.0)
    assert [name for name, _ in proof.slowest] == ["fit.slope"]
    assert sorted((done, total) for _, done, total in told) == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_only_what_changed_is_graded_again(course, engine):
    first = verify(course, "small", lambda: nullcontext(engine))
    again = verify(course, "small", no_engine)
    assert (again.new, again.verdicts) == (0, first.verdicts)
    write_cases(course, HALF + HARMLESS)
    more = verify(course, "small", lambda: nullcontext(engine))
    assert more.new == 1
    assert more.problems == ["mutant in_two_steps: survives fit.slope"]
    assert verify(course, "small", lambda: nullcontext(engine), every=True).new == 5


@pytest.mark.parametrize("file", ["tests/hidden/small/recipes_noise.py", "fixtures/small/houses.csv"])
def test_a_change_of_the_suite_or_its_data_asks_everything_anew(course, engine, file):
    verify(course, "small", lambda: nullcontext(engine))
    path = course.root / file
    path.write_text(path.read_text() + "\n")
    assert verify(course, "small", lambda: nullcontext(engine)).new == 4


def test_the_mutants_of_one_check_alone(course, engine):
    proof = verify(course, "small", lambda: nullcontext(engine), only="fit.other")
    assert [verdict.kind for verdict in proof.verdicts] == [Kind.STARTER, Kind.SOLUTION, Kind.ALTERNATIVE]


def test_a_correct_solution_that_loses_a_check_is_a_false_failure(course, engine):
    write_cases(course, HALF, ALTERNATIVE.replace("a * a for", "a * a + 0.1 for"))
    proof = verify(course, "small", lambda: nullcontext(engine))
    assert proof.problems == ["alternative by_hand: loses fit.slope"]


def test_a_fault_of_the_grader_is_told_and_not_remembered(course, engine):
    class Failing:
        def wait_ready(self) -> None: ...

        def submit(self, submission):
            job = engine.submit(submission)
            if submission.student == "solution":
                job.result()
                job = type(job)()
                job.set_exception(GraderFault("the host went away"))
            return job

    proof = verify(course, "small", lambda: nullcontext(Failing()))
    assert proof.problems == ["solution solution: grader_error: the host went away"]
    assert verify(course, "small", lambda: nullcontext(engine)).new == 1


def test_memory_of_another_version_is_no_obstacle(course, engine):
    (course.root / MEMORY).mkdir()
    (course.root / MEMORY / "small.json").write_text('{"a": 1}')
    assert verify(course, "small", lambda: nullcontext(engine)).new == 4


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
    assert Proof("p", [own] * 19 + [other], 0).problems == []
    assert Proof("p", [own] * 18 + [other] * 2, 0).problems == [
        "90.0% of the mutants fail their own task alone, expected 95%"
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


@pytest.mark.parametrize("name", REAL.names)
def test_the_real_cases_fit_their_assignments(name):
    kinds = [case.kind for case in cases_of(REAL, name)]
    assert kinds.count(Kind.MUTANT) >= 100
    assert kinds.count(Kind.ALTERNATIVE) >= 3


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
