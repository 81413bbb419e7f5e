"""The example class is in step with the solution and names what each submission must get; junk is wrong, not a fault."""

import ast
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
NAMES = Course(ROOT).names
JUNK = ["None", "'junk'", "[]", "float('nan')", "object()", "{}", "lambda *a: None", "{'rmse_log': 'x', 1: None}"]


def test_the_classes_are_in_step_with_the_solutions():
    done = subprocess.run([sys.executable, SUBMISSIONS / "generate.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_has_an_expectation(name):
    assignment = Course(ROOT).assignment(name)
    entries = {entry.student for entry in discover(SUBMISSIONS / name, assignment)}
    assert entries == set(read_expectations(SUBMISSIONS / name / "expected.json"))
    assert len(entries) >= 14


@pytest.fixture(scope="module", params=NAMES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def engine(name):
    course = Course(ROOT)
    with LocalEngine(course, course.assignment(name), seed=3, jobs=2) as engine:
        engine.wait_ready()
        yield engine


def files_in(folder: Path, assignment: str) -> dict[str, bytes]:
    """The task files of a folder."""
    return {name: (folder / name).read_bytes() for name in Course(ROOT).assignment(assignment).files}


def junk(stub: bytes, expression: str) -> bytes:
    """A file with a stub's functions and classes, all of which, and whose classes' methods, give the same junk."""
    lines = []
    for node in ast.parse(stub).body:
        if isinstance(node, ast.FunctionDef):
            lines.append(f"def {node.name}(*args, **kwargs):\n    return {expression}\n")
        if isinstance(node, ast.ClassDef):
            methods = {item.name for item in node.body if isinstance(item, ast.FunctionDef)} - {"__init__"}
            lines.append(f"class {node.name}:\n    def __init__(self, *args, **kwargs): pass\n")
            lines += [
                f"    def {method}(self, *args, **kwargs): return {expression}\n" for method in methods | {"__call__"}
            ]
    return "\n".join(lines).encode()


@pytest.mark.slow
@pytest.mark.parametrize("expression", JUNK)
def test_junk_is_wrong_and_never_a_fault_of_ours(name, engine, expression):
    stubs = files_in(ROOT / "assignments" / name, name)
    files = {file: junk(stub, expression) for file, stub in stubs.items()}
    result = engine.submit(Submission("junk", files, "junk")).result()
    assert result.status is SubmissionStatus.GRADED
    assert (result.score, result.bonus) == (0, 0), [check.name for check in result.checks if check.points]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_grades_three_times(name, engine):
    files = files_in(ROOT / "solutions" / name, name)
    jobs = [engine.submit(Submission(student, files, student)) for student in ("ada", "ben", "chloe")]
    results = [job.result() for job in jobs]
    assert [(result.score, result.bonus) for result in results] == [(100, 10)] * 3
    checks = [[(check.name, check.status, check.points) for check in result.checks] for result in results]
    assert checks[0] == checks[1] == checks[2]
