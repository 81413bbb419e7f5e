"""The example class is in step with the solution and names what each submission must get; junk is wrong, not a fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from grader.course import Course
from grader.executor import LocalEngine
from grader.expectations import read_expectations
from grader.results import SubmissionStatus
from grader.submission import Submission, discover

ROOT = Path(__file__).parents[1]
SUBMISSIONS = ROOT / "fixtures" / "submissions"
JUNK = ["None", "'junk'", "[]", "float('nan')", "object()", "{}", "lambda *a: None", "{'rmse_log': 'x', 1: None}"]


def test_the_classes_are_in_step_with_the_solutions():
    done = subprocess.run([sys.executable, SUBMISSIONS / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", Course(ROOT).names)
def test_every_entry_has_an_expectation(name):
    assignment = Course(ROOT).assignment(name)
    entries = {entry.student for entry in discover(SUBMISSIONS / name, assignment)}
    assert entries == set(read_expectations(SUBMISSIONS / name / "expected.json"))
    assert len(entries) >= 14


@pytest.fixture(scope="module")
def engine():
    course = Course(ROOT)
    with LocalEngine(course, course.assignment("house_prices"), seed=3, jobs=2) as engine:
        engine.wait_ready()
        yield engine


def junk(expression: str) -> Submission:
    """Six files whose every function gives the same junk, and whose classes' methods do, too."""
    functions = (
        "load_data summarize top_correlations plot_target plot_relationships split target to_price make_loader train rmse "
        "predict evaluate plot_predictions cross_validate search best compare_regressors plot_comparison"
    ).split()
    lines = [f"def {name}(*args, **kwargs):\n    return {expression}\n" for name in functions]
    lines += [
        f"class {name}:\n    feature_names_ = None\n    def __init__(self, *args, **kwargs): pass\n"
        f"    def fit(self, *args): return {expression}\n    transform = fit_transform = __call__ = fit\n"
        for name in ("Preprocessor", "LinearRegression")
    ]
    text = "\n".join(lines).encode()
    return Submission("junk", dict.fromkeys(Course(ROOT).assignment("house_prices").files, text), "junk")


@pytest.mark.parametrize("expression", JUNK)
def test_junk_is_wrong_and_never_a_fault_of_ours(engine, expression):
    result = engine.submit(junk(expression)).result()
    assert result.status is SubmissionStatus.GRADED
    assert (result.score, result.bonus) == (0, 0), [check.name for check in result.checks if check.points]


@pytest.mark.parametrize(
    "folder", sorted((ROOT / "tests" / "alternatives" / "house_prices").iterdir()), ids=lambda p: p.name
)
def test_correct_solutions_in_other_hands_have_full_marks(engine, folder):
    files = {path.name: path.read_bytes() for path in folder.glob("*.py")}
    result = engine.submit(Submission(folder.name, files, folder.name)).result()
    lost = [(check.name, check.detail) for check in result.checks if not check.points]
    assert (result.score, result.bonus, lost) == (100, 10, [])


def test_the_same_seed_gives_the_same_grades_three_times(engine):
    files = {path.name: path.read_bytes() for path in (ROOT / "solutions" / "house_prices").glob("*.py")}
    results = [engine.submit(Submission("ada", files, "ada")).result() for _ in range(3)]
    assert [(result.score, result.bonus) for result in results] == [(100, 10)] * 3
