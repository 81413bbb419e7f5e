"""A notebook's cells behave as the project's files do: modules, self-checks, hidden results."""

import shutil
import sys
from pathlib import Path

import pytest
from released_course import write_released_course
from tiny_desk import PLOTS, SUMS, write_desk

from grader.errors import UsageError
from grader.jupyter import COURSE, Notebook
from grader.notebook_source import as_text, source_notebook, student_notebook

FILES = {"sums.py": SUMS, "plots.py": PLOTS}


@pytest.fixture(autouse=True)
def modules_as_before():
    yield
    for name in ("sums", "plots", "bonus", "fit"):
        sys.modules.pop(name, None)


@pytest.fixture
def desk(tmp_path) -> Path:
    """The folder of a notebook: no task files beside it."""
    folder = write_desk(tmp_path / "work")
    for name in ("sums.py", "plots.py", "bonus.py"):
        (folder / name).unlink()
    return folder


@pytest.fixture
def notebook(desk) -> Notebook:
    return Notebook(desk)


def test_cells_of_a_file_are_one_module_that_others_import(notebook):
    notebook.run("sums.py", "import math\nSCALE = 2")
    notebook.run("sums.py", "def total(values):\n    return SCALE * math.fsum(values)")
    notebook.run("plots.py", "from sums import total\n\ndef draw(values):\n    return total(values)")
    assert sys.modules["plots"].draw([1, 2]) == 6
    assert sys.modules["sums"].__name__ == sys.modules["sums"].total.__module__ == "sums"


def test_a_cell_run_again_takes_the_place_of_what_it_said(notebook, desk):
    notebook.run("sums.py", "def total(values):\n    raise NotImplementedError('Task 1: write total().')")
    notebook.run("sums.py", SUMS)
    notebook.written("sums")
    notebook.self_check("sums")


def test_what_is_not_written_yet_is_named(notebook):
    with pytest.raises(NotImplementedError, match=r"Task 1: run the cells of sums\.py first"):
        notebook.written("sums")
    notebook.run(
        "sums.py", "class Model:\n    def fit(self):\n        raise NotImplementedError\n\ndef total(v):\n    return 1"
    )
    with pytest.raises(NotImplementedError, match=r"write Model\.fit\(\) of sums\.py"):
        notebook.written("sums")


def test_self_checks_try_what_the_cells_say(notebook, desk, capfd):
    for file, source in FILES.items():
        notebook.run(file, source)
    notebook.self_check("plots")
    assert "1 of 1" in capfd.readouterr().out
    notebook.run("plots.py", "import warnings\nwarnings.warn('noise')")
    notebook.run("sums.py", "def mean(values):\n    return 0.0")
    notebook.self_check("sums")
    told = capfd.readouterr().out
    assert "mean divides" in told
    assert "Hint: " in told
    assert not any(noise in told for noise in ("Traceback", "Warning", "grader/"))
    assert sys.modules["sums"].total([1, 2]) == 3, "the notebook's own modules are back"
    assert (desk / "figures" / "plots_draw.png").read_bytes().startswith(b"\x89PNG")
    assert not list(desk.glob("[!t]*.py")), "nothing else is left beside the notebook"


def test_files_and_tasks_that_there_are_not(notebook):
    with pytest.raises(UsageError, match=r"one of sums\.py, plots\.py, bonus\.py; found 'sum\.py'"):
        notebook.run("sum.py", "x = 1")
    with pytest.raises(UsageError, match="no task 'sum'"):
        notebook.self_check("sum")
    with pytest.raises(SyntaxError):
        notebook.run("sums.py", "def total(:")


def test_a_notebook_elsewhere_is_told_where_to_start(tmp_path):
    with pytest.raises(UsageError, match=r"expected assignment\.toml beside the notebook"):
        Notebook(tmp_path)


@pytest.fixture
def released(tmp_path, monkeypatch):
    """A released notebook's folder, with its course at hand: gives a function that hands a notebook in."""
    course = write_released_course(tmp_path / "course")
    folder = tmp_path / "submitted"
    shutil.copytree(course.handout("small"), folder)
    monkeypatch.setenv(COURSE, str(course.root))

    def hand_in(make) -> Notebook:
        (folder / "small.ipynb").write_text(as_text(make(course, "small")))
        return Notebook(folder)

    return hand_in


def test_hidden_results_are_the_suites(released):
    released(source_notebook).graded("fit.slope")
    wrong = released(student_notebook)
    with pytest.raises(AssertionError, match="The slope is the least squares one: not_implemented") as failed:
        wrong.graded("fit.slope")
    (line,) = failed.value._render_traceback_()
    assert line == f"AssertionError: {failed.value}"
    wrong.written("fit")  # says nothing more once the hidden suite has spoken
    with pytest.raises(UsageError, match=r"has no check 'fit\.slop'"):
        wrong.graded("fit.slop")


def test_without_the_course_nothing_is_graded(released, monkeypatch, tmp_path):
    notebook = released(source_notebook)
    monkeypatch.setenv(COURSE, str(tmp_path / "nowhere"))
    with pytest.raises(UsageError):
        notebook.graded("fit.slope")
