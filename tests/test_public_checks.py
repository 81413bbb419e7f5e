"""The student's desk: what the self-checks say of untouched, finished and faulty work, and what the handout promises."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from grader.course import Assignment, Course

COURSE = Course(Path(__file__).resolve().parents[1])
FEWEST_CHECKS = 4
PATIENCE = 300  # seconds; a busy machine needs most of a minute


@dataclass(frozen=True)
class Mistake:
    """A wrong line behind a solved file, and what the self-checks must say of it."""

    file: str
    line: str
    check: str
    told: tuple[str, ...]
    next: str


MISTAKES = {
    "house_prices": Mistake(
        "train.py",
        "_right = LinearRegression.forward\nLinearRegression.forward = lambda self, x: _right(self, x).unsqueeze(-1)\n",
        "train_model",
        (
            r"Rule: +the untrained output has the right shape",
            r"Expected: \(4",
            r"Got: +\(4, 1\)",
            r"Hint: +nn\.Linear\(",
        ),
        "Next: train.py: The model maps (batch, n_features) to (batch,) and starts at bias_init (pytest -k train_model)",
    ),
    "image_classification": Mistake(
        "visualize.py",
        "_right = plot_confusion_matrix\nplot_confusion_matrix = lambda cm, *args, **more: _right(cm.T, *args, **more)\n",
        "visualize_confusion",
        (
            r"Rule: +the image has a row for each true class",
            r"Case: +three cats right, one cat taken for a dog, two dogs right",
            r"Expected: \[\[3, 1\], \[0, 2\]\]",
            r"Got: +\[\[3\.0, 0\.0\], \[1\.0, 2\.0\]\]",
            r"Hint: +imshow puts rows down the y axis",
        ),
        "Next: visualize.py: ",
    ),
    "stock_forecasting": Mistake(
        "acquire.py",
        "_right = clean_prices\nclean_prices = lambda df: _right(df.bfill())\n",
        "acquire_holes",
        (
            r"Rule: +the 1st has nothing before it, the 10th is the sixth of its hole",
            r"Case: +closes of the 1st to the 11th: -, 10, -, 12",
            r"Expected: \[2, 3, 4, 5, 6, 7, 8, 9, 11\]",
            r"Got: +\[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\]",
            r"Hint: +ffill\(limit=LONGEST_HOLE\)",
        ),
        "Next: acquire.py: A hole is filled from the days before it, five at most, and never from a later one",
    ),
}


@pytest.fixture(scope="module", params=COURSE.names)
def assignment(request) -> Assignment:
    return COURSE.assignment(request.param)


@pytest.fixture(scope="module")
def readme(assignment) -> str:
    return (COURSE.handout(assignment.name) / "README.md").read_text("utf-8")


def desk(folder: Path, name: str, *, solved: bool) -> Path:
    """A student's folder: what was handed out, with the stubs or with the solutions."""
    work = folder / name
    left_out = shutil.ignore_patterns("__pycache__", ".pytest_cache", "results")
    shutil.copytree(COURSE.handout(name), work, ignore=left_out)
    if solved:
        shutil.copytree(COURSE.solution(name), work, dirs_exist_ok=True, ignore=left_out)
    return work


def run_self_checks(*folders: Path) -> subprocess.CompletedProcess:
    """`pytest`, as a student runs it, in one process for all folders: importing torch is most of the time."""
    command = [sys.executable, "-m", "pytest", "-ra", "--import-mode=importlib", "-p", "no:cacheprovider"]
    return subprocess.run(
        [*command, f"--rootdir={folders[0]}", *folders],
        cwd=folders[0],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def self_checks(name: str) -> list[tuple[str, str]]:
    """Name and file (without its ending) of each self-check."""
    return [
        (node.name, path.stem)
        for path in sorted(COURSE.handout(name).glob("test_public_*.py"))
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def declared_checks(name: str) -> dict[str, str]:
    """Name -> task of each self-check: `test_public_<task>.py` and `test_public_<task>_<idea>.py` hold a task's."""
    tasks = [task.name for task in COURSE.assignment(name).task]
    return {
        check: max((task for task in tasks if f"{file}_".startswith(f"test_public_{task}_")), key=len)
        for check, file in self_checks(name)
    }


@pytest.mark.slow
def test_stubs_are_to_do_and_the_solution_passes(tmp_path, assignment):
    # Exit code 0 for stubs: nothing is wrong with work that was not begun, and red is kept for what is.
    name = assignment.name
    desks = desk(tmp_path / "begun", name, solved=False), desk(tmp_path / "finished", name, solved=True)
    done = run_self_checks(*desks)
    assert done.returncode == 0, done.stdout + done.stderr
    number = len(declared_checks(name))
    assert f"{number} passed, {number} to do" in done.stdout
    assert "FAILURES" not in done.stdout
    untouched, finished = done.stdout.split(f" {assignment.title} ")[1:]
    for task, checks in Counter(declared_checks(name).values()).items():
        assert re.search(rf"{task}\.py +·{{{checks}}} +to do", untouched)
        assert re.search(rf"{task}\.py +✓{{{checks}}} +{checks} of {checks}", finished)
    assert re.search(r"Next: Task 1: write \w+(\.\w+)?\(\)\.", untouched)
    assert "All of these checks pass." in finished


@pytest.mark.slow
def test_a_mistake_is_told_in_words(tmp_path, assignment):
    mistake, work = MISTAKES[assignment.name], desk(tmp_path, assignment.name, solved=True)
    with (work / mistake.file).open("a") as file:
        file.write("\n" + mistake.line)
    with (work / "bonus.py").open("a") as file:
        file.write("\nresults = {\n")
    shutil.copy(COURSE.handout(assignment.name) / "evaluate.py", work)
    done = run_self_checks(work)
    assert done.returncode == 1, done.stdout + done.stderr

    told = re.search(rf"_ test_{mistake.check} _+\n(.*?)\n_____", done.stdout, re.DOTALL)[1]
    for line in mistake.told:
        assert re.search(line, told), f"no {line!r} in {told}"
    assert any(line.startswith(mistake.next) for line in done.stdout.splitlines())
    assert re.search(r"importing bonus\.py raised SyntaxError: .*\(bonus\.py", done.stdout)

    # Nothing of ours shows: no traceback, no path into the grader, no second list of what failed.
    for ours in ("Traceback", "grader/", r"test_public_\w+\.py:", "short test summary", "INTERNALERROR"):
        assert not re.search(ours, done.stdout + done.stderr)

    per_task = Counter(declared_checks(assignment.name).values())
    last_line = done.stdout.strip().splitlines()[-1]
    assert f"{1 + per_task['bonus']} to fix" in last_line
    assert f"{per_task['evaluate']} to do" in last_line


def test_each_task_has_self_checks(assignment):
    names = [name for name, _ in self_checks(assignment.name)]
    assert len(names) == len(set(names))
    per_task = Counter(declared_checks(assignment.name).values())
    assert set(per_task) == {task.name for task in assignment.task}
    assert min(per_task.values()) >= FEWEST_CHECKS


def test_k_selects_the_checks_of_one_task(assignment):
    """The handout says `pytest -k train`: a check and its file are named after their task, and after no other."""
    for name, file in self_checks(assignment.name):
        for words in (name, file):
            named = [task.name for task in assignment.task if task.name in words]
            assert named == [declared_checks(assignment.name)[name]]


def test_readme_has_the_rubric(readme, assignment):
    rows = re.findall(r"^\| (\w+) \| `(\w+\.py)` \| (\d+) \| (.+) \|$", readme, re.MULTILINE)
    expected = [
        (task.label.removeprefix("Task "), task.file, f"{task.points:g}", task.title) for task in assignment.task
    ]
    assert rows == expected
    assert f"make {assignment.points:g} points" in readme


def test_readme_has_limits_and_thresholds(readme, assignment):
    words = " ".join(readme.split())
    limits = assignment.limits
    assert f"{limits.check_seconds:g} seconds of CPU time for a check" in words
    assert f"{limits.submission_seconds:g} seconds for all" in words
    assert f"{limits.memory_mb} MB" in words
    for name, limit in assignment.thresholds.items():
        assert any(f"{text} (`{name}`)" in words for text in (f"{limit:g}", f"{limit:.2f}"))


@pytest.fixture(scope="module")
def solved_preprocess() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "solved_preprocess", COURSE.solution("house_prices") / "preprocess.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def house_readme() -> str:
    return (COURSE.handout("house_prices") / "README.md").read_text("utf-8")


def test_readme_lists_the_columns_where_na_means_none(house_readme, solved_preprocess):
    quoted = "".join(line for line in house_readme.splitlines() if line.startswith("> "))
    assert set(re.findall(r"`(\w+)`", quoted)) == solved_preprocess.none_columns()


def test_readme_orders_the_ladders(house_readme, solved_preprocess):
    ladders, none = solved_preprocess.ladders(), solved_preprocess.none_columns()
    told = {}
    for columns, rungs in re.findall(r"^\| (`.+`) \| ((?:none|`\w+`)(?: < `\w+`)+) \|$", house_readme, re.MULTILINE):
        words = [word.strip("` ") for word in rungs.split("<")]
        told |= dict.fromkeys(re.findall(r"`(\w+)`", columns), words)
    assert len(told) >= 15
    for column, words in told.items():
        assert words == ["none"] * (column in none) + list(ladders[column])
