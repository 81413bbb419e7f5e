"""`grader check`: exit codes, the points so far, one message for each failure, and the figures beside the work."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from tiny_desk import SUMS, write_desk

from grader.course import Course
from grader.suite import figures
from grader.suite.album import Album
from grader.suite.desks import hidden_desk
from grader.suite.in_process import student_in

GRADER = Path(sys.executable).with_name("grader")
PNG = b"\x89PNG\r\n"


def run_check(*words: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [GRADER, "check", *map(str, words)], capture_output=True, text=True, timeout=300, env={"COLUMNS": "150"}
    )


def test_a_mistake_is_told_and_counted(tmp_path):
    work = write_desk(tmp_path / "work")
    (work / "sums.py").write_text(SUMS.replace("/ len(values)", "/ 2"))
    done = run_check(work)
    assert done.returncode == 1, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert "Task 1  sums.py        ✓✗  1 of 2   about 7 of 15 points: Sums" in lines
    assert "Task 2  plots.py       ✓   1 of 1   about 10 of 10 points: Plots" in lines
    assert "Bonus   bonus.py       ·   to do    about 0 of 4 points: More" in lines
    so_far = next(line for line in lines if line.startswith("So far"))
    assert "about 17 of 25 points and 0 of 4 bonus points, if the hidden checks" in so_far
    assert "Next: sums.py: mean divides (pytest -k sums_mean)" in lines
    assert "Look at what your code drew: figures/plots_draw.png" in lines
    assert [path.name for path in (work / "figures").iterdir()] == ["plots_draw.png"]
    assert (work / "figures" / "plots_draw.png").read_bytes().startswith(PNG)
    assert done.stdout.count("Hint:") == 1
    for ours in ("Traceback", "grader/", "test_public_sums.py:", "Warning"):
        assert ours not in done.stdout + done.stderr


def test_one_task(tmp_path):
    work = write_desk(tmp_path / "work")
    (work / "sums.py").write_text("def total(:\n")
    done = run_check(work, "--task", "bonus")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bonus.py       ·  to do" in done.stdout
    assert "sums.py" not in done.stdout
    assert "So far" not in done.stdout  # of the other tasks nothing is known


@pytest.mark.parametrize(
    ("words", "told"), [(["--task", "sum"], "no task 'sum'"), ([], "expected an assignment's folder")]
)
def test_wrong_use_is_one_line(tmp_path, words, told):
    work = write_desk(tmp_path / "work") if words else tmp_path
    done = run_check(work, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.fixture
def album(tmp_path):
    yield Album(tmp_path)
    plt.close("all")


def drawn(title: str = "") -> plt.Figure:
    figure, axis = plt.subplots()
    axis.set_title(title)
    return figure


def test_an_album_numbers_figures_and_forgets_what_was_saved(album, tmp_path):
    figure = drawn()
    for check, thing in [("a.first", drawn()), ("a.second", "no figure")]:
        album.begin(check)
        assert str(album.summarise(thing)) == str(figures.summarise(thing))
    album.begin("a.first")
    for thing in (figure, figure, drawn()):
        album.summarise(thing)
    assert album.save() == ["figures/first.png", "figures/first-2.png"]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == ["first-2.png", "first.png"]
    assert album.save() == []


def test_a_figure_that_cannot_be_drawn_is_told(album, tmp_path):
    album.begin("a.bad")
    album.summarise(drawn(r"$\nonsense{$"))
    (told,) = album.save()
    assert told.startswith("bad.png: not saved, ValueError:")
    assert list((tmp_path / "figures").iterdir()) == []


def test_hidden_suites_keep_no_figures(root):
    course = Course(root)
    desk = hidden_desk(course.suite("house_prices"), course.assignment("house_prices"), {}, 1)
    assert desk.album is None


def test_a_helper_in_a_package_is_imported_anew(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "task.py").write_text("from parts import numbers\ndef ask():\n    return numbers.ONE\n")
    for value in (1, 2):
        shutil.rmtree(tmp_path / "parts" / "__pycache__", ignore_errors=True)
        (tmp_path / "parts" / "numbers.py").write_text(f"ONE = {value}\n")
        student = student_in(tmp_path, ["task"])
        assert student.task.ask() == value
        student.close()
    assert not {"task", "parts", "parts.numbers"} & set(sys.modules)


def test_a_file_that_python_cannot_read_comes_first_and_its_users_name_it(tmp_path):
    work = write_desk(tmp_path / "work")
    (work / "sums.py").write_text("def total(values):\n    return sum(values\n")
    (work / "plots.py").write_text("from sums import total\n\n\ndef draw(values):\n    raise NotImplementedError\n")
    done = run_check(work)
    assert "Next: mend sums.py, line 2: Python cannot read it, and what imports it waits." in done.stdout.splitlines()
    assert done.stdout.count("(sums.py, line 2)") == done.stdout.count("SyntaxError")
    assert "sums.py:2" not in done.stdout


def test_what_does_not_pass_comes_before_what_is_not_written_yet(tmp_path):
    work = write_desk(tmp_path / "work")
    stub = "    raise NotImplementedError('Task 1: write it.')\n"
    (work / "sums.py").write_text(f"def total(values):\n{stub}\n\ndef mean(values):\n{stub}")
    (work / "plots.py").write_text("def draw(values):\n    return 3\n")
    assert "Next: plots.py: draw shows the total in its title (pytest -k plots_draw)" in run_check(work).stdout


def test_two_folders_in_one_run_keep_their_modules_apart(tmp_path):
    """As in the course's own folder, where plain pytest runs the self-checks of all assignments."""
    folders = [write_desk(tmp_path / name) for name in ("first", "second")]
    for folder, title in zip(folders, ("One", "Two"), strict=True):
        declaration = folder / "assignment.toml"
        declaration.write_text(declaration.read_text().replace('title = "Tiny"', f'title = "{title}"'))
    (folders[0] / "sums.py").write_text(SUMS.replace("sum(values)", "min(values)"))
    command = [sys.executable, "-m", "pytest", "-q", "--import-mode=importlib", "-pno:cacheprovider", *folders]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    one, two = re.split(r"=+ Two =+", done.stdout.split("= One =")[1])
    assert re.search(r"sums\.py +✗✗", one)
    assert re.search(r"plots\.py +✗", one)
    assert re.search(r"sums\.py +✓✓", two)
    assert re.search(r"plots\.py +✓", two)


def test_a_check_without_a_verdict_is_not_passed_over(tmp_path):
    """A check of ours that fails by itself, or is stopped in the midst of its own work, says nothing of the student's."""
    work = write_desk(tmp_path / "work")
    path = work / "test_public_plots.py"
    path.write_text(path.read_text().replace("    figure = ", "    1 / 0\n    figure = ", 1))
    (work / "bonus.py").write_text("def more(n):\n    return n + 1\n")
    done = run_check(work)
    assert "plots.plots_draw has no verdict: it was stopped, or failed by itself. Run it again." in done.stdout
    assert "All other checks pass." in done.stdout
    assert "All of these checks pass" not in done.stdout
