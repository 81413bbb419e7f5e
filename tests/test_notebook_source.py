"""A project as a notebook says what its files say, cell by cell, and nbgrader takes it."""

import ast
import json
from collections import Counter

import nbformat
import pytest
from nbgrader.nbgraderformat import read as read_as_nbgrader
from notebooks import REAL, filled_in, read_back
from released_course import write_released_course

from grader.errors import UsageError
from grader.notebook_source import as_text, source_notebook, student_notebook
from grader.stubs import make_stub

NAMES = REAL.names
BOTH = pytest.mark.parametrize("make", [source_notebook, student_notebook])


def definitions(source: str) -> list[str]:
    """Everything at a module's top but its docstring, in order, however it is laid out."""
    body = ast.parse(source).body
    nodes = [node for node in body if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    return [ast.dump(node) for node in nodes]


def unguarded(source: str) -> str:
    """A module read from a notebook, without the `try` that stands around each statement."""
    body = [node.body[0] if isinstance(node, ast.Try) else node for node in ast.parse(source).body]
    return ast.unparse(ast.Module(body, []))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_read_back_is_what_the_files_say(name):
    assignment = REAL.assignment(name)
    solved, stubs = (read_back(make(REAL, name), name) for make in (source_notebook, student_notebook))
    for task in assignment.task:
        solution = (REAL.solution(name) / task.file).read_text("utf-8")
        assert definitions(unguarded(solved[task.file])) == definitions(solution)
        assert definitions(unguarded(stubs[task.file])) == definitions(make_stub(solution, assignment, task))


@BOTH
@pytest.mark.parametrize("name", NAMES)
def test_it_is_sound_and_the_same_each_time(name, make, tmp_path):
    text = as_text(make(REAL, name))
    assert text == as_text(make(REAL, name))
    path = tmp_path / f"{name}.ipynb"
    path.write_text(text)
    notebook = read_as_nbgrader(str(path), as_version=nbformat.NO_CONVERT)  # nbgrader's own validator
    names = Counter(cell.metadata.nbgrader.grade_id for cell in notebook.cells)
    assert set(names.values()) == {1}
    assert set(notebook.metadata.grader.cells) <= set(names)


@pytest.mark.parametrize("name", NAMES)
def test_each_hidden_check_is_a_cell_with_its_points(name):
    assignment = REAL.assignment(name)
    cells = [cell for cell in source_notebook(REAL, name).cells if cell.metadata.nbgrader.grade]
    points = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points for cell in cells}
    assert points == {
        f"{task.name}-{check}": 0 if task.bonus else worth
        for task in assignment.task
        for check, worth in task.checks.items()
    }
    assert sum(points.values()) == assignment.points
    assert all(cell.metadata.nbgrader.locked for cell in cells)
    for cell in cells:
        hidden = cell.source.split("### BEGIN HIDDEN TESTS\n")[1].split("\n### END HIDDEN TESTS")[0]
        assert hidden == f'graded("{cell.metadata.nbgrader.grade_id.replace("-", ".")}")'


@pytest.mark.parametrize("name", NAMES)
def test_students_write_in_solution_cells_and_what_is_given_is_locked(name):
    notebook = student_notebook(REAL, name)
    for cell in notebook.cells:
        about = cell.metadata.nbgrader
        assert about.solution != about.locked
        assert about.solution == (cell.cell_type == "code" and "raise NotImplementedError" in cell.source)
    assert "graded(" not in as_text(notebook)
    assert "SOLUTION" not in as_text(notebook)


def test_a_check_without_a_suite_is_named(tmp_path):
    course = write_released_course(tmp_path)
    (course.suite("small") / "test_fit.py").write_text('"""Nothing."""\n')
    with pytest.raises(UsageError, match=r"expected tests/hidden/small to declare fit\.slope"):
        source_notebook(course, "small")
    assert student_notebook(course, "small").cells  # a stub can be worked on before the suite is written


def test_comments_that_close_a_solution_stay_in_its_cell(tmp_path):
    course = write_released_course(tmp_path)
    (cell,) = [c for c in source_notebook(course, "small").cells if c.metadata.nbgrader.solution]
    lines = cell.source.splitlines()
    assert lines[0] == "%%task fit.py"
    assert lines[-1].strip() == "### END SOLUTION"


def test_a_notebook_filled_in_says_what_the_files_say():
    """The tests' own way of handing in a notebook."""
    own = {"explore.py": "import math\n\n\ndef load_data(path):\n    return math.pi\n"}
    filled = read_back(filled_in("house_prices", own), "house_prices")
    assert "math.pi" in filled["explore.py"]
    assert "def summarize" not in filled["explore.py"]
    assert "math" not in filled["train.py"]
    assert "NotImplementedError" in filled["train.py"]


def test_the_text_is_json_that_jupyter_writes_too():
    notebook = json.loads(as_text(student_notebook(REAL, "house_prices")))
    assert notebook["nbformat"] == 4
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
