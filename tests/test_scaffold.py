"""`grader new`: a project that is whole from the start: sound, released without a leak, with a handout that is kept."""

import subprocess
import sys
from pathlib import Path

import pytest
from promised import checks_out_of_step, out_of_step

from grader.bundle import make_bundle
from grader.course import Course
from grader.errors import UsageError
from grader.executor import LocalEngine
from grader.release import sync
from grader.scaffold import start_project
from grader.soundness.cases import Draws, Kind
from grader.soundness.proving import prove

NAME, TITLE = "wind_power", "Wind power: how much will it be?"
ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def course(tmp_path) -> Course:
    start_project(tmp_path / "course", NAME, TITLE)
    return Course(tmp_path / "course")


@pytest.mark.slow
def test_a_new_project_is_sound_and_so_is_one_made_of_it(course):
    """As it comes, and after a third task was written as the page for authors says."""
    few = Draws(solution=12, repeats=2, alternative=1, mutant=3)
    add_a_task(course)
    with LocalEngine(course, course.assignment(NAME), seed=3, jobs=2) as engine:
        proof = prove(course, NAME, lambda: engine_only(engine), seed=3, draws=few)
    assert proof.problems == []
    assert [proof.right(kind) for kind in Kind] == [(1, 1), (12, 12), (2, 2), (1, 1), (8, 8)]
    assert {margin.check for margin in proof.margins} == {"train.learns"}
    assert proof.margins[0].missed, "the line tells wrong from right"


class engine_only:
    """An engine that the test closes itself."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine

    def __enter__(self) -> LocalEngine:
        return self._engine

    def __exit__(self, *_: object) -> None: ...


def add_a_task(course: Course) -> None:
    """A task of one function: stub, rubric, suite, mutant, and the alternative's part."""
    declared = course.handout(NAME) / "assignment.toml"
    task = '[[task]]\nnumber = 3\nname = "measure"\ntitle = "How far off?"\n[task.checks]\nrmse = 2\n'
    declared.write_text(declared.read_text() + "\n" + task)
    solution = '"""Task 3."""\n\n\ndef rmse(errors):\n    """Root of the mean square."""\n{}'
    body = (
        "    ### BEGIN SOLUTION\n    return (sum(e * e for e in errors) / len(errors)) ** 0.5\n    ### END SOLUTION\n"
    )
    (course.solution(NAME) / "measure.py").write_text(solution.format(body))
    other = "import numpy as np\n\n\ndef rmse(errors):\n    return np.sqrt(np.mean(np.square(errors)))\n"
    (course.root / "tests" / "alternatives" / NAME / "in_sums" / "measure.py").write_text(other)
    (course.suite(NAME) / "test_measure.py").write_text(
        "import numpy as np\n\nfrom grader.suite import as_float, assert_close, check\n\n\n"
        '@check(title="rmse is the root of the mean square", hint="Square, mean, root, in this order.")\n'
        "def test_rmse(student, rng):\n    errors = rng.normal(size=9)\n"
        '    got = as_float(student.measure.rmse(errors.tolist()), "the RMSE")\n'
        '    assert_close(got, np.linalg.norm(errors) / 3, "the RMSE")\n'
    )
    mutants = course.root / "tests" / "mutants" / f"{NAME}.toml"
    rootless = '[[mutant]]\nname = "no_root"\nfile = "measure.py"\nfind = " ** 0.5"\nreplace = ""\n'
    why = 'why = "The mean square, without the root."\ncheck = "measure.rmse"\n'
    mutants.write_text(f"{mutants.read_text()}\n{rootless}{why}")
    sync(course, NAME, check=False)


def test_its_handout_is_kept_and_its_stubs_are_in_step(course):
    assert out_of_step(course, NAME) == ""
    assert checks_out_of_step(course, NAME) == (set(), set())
    assert sync(course, NAME, check=True) == []
    assert (course.handout(NAME) / "README.md").read_text().startswith(f"# {TITLE}\n")


@pytest.mark.slow
def test_students_can_work_in_it(course):
    """The stub is to do, the solution passes, main.py finds the line that generate.py drew."""
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    to_do = subprocess.run(run, cwd=course.handout(NAME), capture_output=True, text=True, timeout=300)
    assert to_do.returncode == 0, to_do.stdout
    assert "2 to do" in to_do.stdout
    for task in course.assignment(NAME).task:
        text = (course.solution(NAME) / task.file).read_text()
        (course.handout(NAME) / task.file).write_text(text)
    passed = subprocess.run(run, cwd=course.handout(NAME), capture_output=True, text=True, timeout=300)
    assert "2 passed" in passed.stdout, passed.stdout
    main = [sys.executable, course.handout(NAME) / "main.py"]
    whole = subprocess.run(main, capture_output=True, text=True, timeout=300)
    numbers = [float(word.strip(",")) for word in whole.stdout.split() if word[-1:].strip(",").isdigit() or "." in word]
    slope, intercept, trained_slope, trained_intercept = numbers
    assert slope == pytest.approx(2.5, abs=0.3)
    assert intercept == pytest.approx(-1, abs=0.4)
    assert (trained_slope, trained_intercept) == pytest.approx((slope, intercept), abs=0.1)


def test_it_is_released_without_a_leak(course):
    project = (ROOT / "pyproject.toml").read_text()
    (course.root / "pyproject.toml").write_text(project)
    assert make_bundle(course, [NAME]).leaks(course) == []


@pytest.mark.parametrize(
    ("name", "title", "said"),
    [
        ("Wind", "Wind", "small letters"),
        ("wind power", "Wind", "small letters"),
        ("../wind", "Wind", "small letters"),
        ("wind", 'A "wind"', "without quotation marks"),
        ("wind", "two\nlines", "in one line"),
    ],
)
def test_names_that_cannot_be(tmp_path, name, title, said):
    with pytest.raises(UsageError, match=said):
        start_project(tmp_path / "course", name, title)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(course):
    before = {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()}
    with pytest.raises(UsageError, match="there already"):
        start_project(course.root, NAME, TITLE)
    assert {path: path.read_bytes() for path in course.root.rglob("*") if path.is_file()} == before


def test_the_command(tmp_path):
    grader = [Path(sys.executable).with_name("grader"), "new", "tides", "--course", tmp_path / "new"]
    done = subprocess.run(grader, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "Next: grader verify tides"
    assert all(Path(line).exists() for line in done.stdout.splitlines()[:-1])
    assert Course(tmp_path / "new").assignment("tides").title == "Tides"
