"""Stubs are the solutions without what students are to write, and nothing else."""

import os
import re
from pathlib import Path

import pytest

from grader.course import Course
from grader.errors import UsageError
from grader.notebook_source import as_text, student_notebook
from grader.release import Action, Change, sync
from grader.stubs import make_stub

SOLUTION = '''"""Task 1 · Train."""

import math
import random


def sibling(x):
    """Given."""
    return math.sqrt(x)


def train(x):
    """Fit."""
    total = 0
    for value in x:
        ### BEGIN SOLUTION
        noise = random.random()
        total += value * noise + 12345

        # a remark
        ### END SOLUTION
    return total


class Model:
    rate = 0.1

    def forward(self, x):
        ### BEGIN SOLUTION
        return x * self.rate + 98765
        ### END SOLUTION
'''

STUB = '''"""Task 1 · Train."""

import math
import random


def sibling(x):
    """Given."""
    return math.sqrt(x)


def train(x):
    """Fit."""
    total = 0
    for value in x:
        raise NotImplementedError("Task 1: write train().")
    return total


class Model:
    rate = 0.1

    def forward(self, x):
        raise NotImplementedError("Task 1: write Model.forward().")
'''


def make_course(root: Path, **solutions: str) -> Course:
    """A course with one assignment, `project`, of two tasks; the second is a bonus."""
    handout, solution = root / "assignments" / "project", root / "solutions" / "project"
    handout.mkdir(parents=True)
    solution.mkdir(parents=True)
    tasks = "".join(
        f'[[task]]\nnumber = {number}\nname = "{name}"\ntitle = "T"\nbonus = {bonus}\nchecks = {{one = 1}}\n'
        for number, name, bonus in ((1, "train", "false"), (2, "extra", "true"))
    )
    (handout / "assignment.toml").write_text(f'name = "project"\ntitle = "P"\ndifficulty = "easy"\n{tasks}')
    defaults = {"train": SOLUTION, "extra": SOLUTION, "main": "import train\n"}
    for name, text in {**defaults, **solutions}.items():
        (solution / f"{name}.py").write_text(text)
    return Course(root)


@pytest.fixture
def course(tmp_path) -> Course:
    return make_course(tmp_path)


def stub_of(course: Course, source: str, task: str = "train") -> str:
    assignment = course.assignment("project")
    return make_stub(source, assignment, assignment.task_of(task))


def test_each_region_becomes_one_line(course):
    assert stub_of(course, SOLUTION) == STUB


def test_a_bonus_says_so(course):
    assert stub_of(course, SOLUTION, "extra") == STUB.replace('("Task 1:', '("Bonus:')


def test_the_innermost_function_is_named(course):
    source = (
        "class A:\n    class B:\n        async def f(self):\n            def g():\n"
        "                ### BEGIN SOLUTION\n                return 1\n                ### END SOLUTION\n"
        "            return g\n"
    )
    assert "write A.B.f.g()." in stub_of(course, source)


def test_a_nested_function_in_the_region_is_not_named(course):
    source = "def f():\n    ### BEGIN SOLUTION\n    def g():\n        return 1\n    ### END SOLUTION\n"
    assert stub_of(course, source) == 'def f():\n    raise NotImplementedError("Task 1: write f().")\n'


def test_markers_in_strings_are_text(course):
    text = 'NOTE = """\n### BEGIN SOLUTION\n"""\n'
    assert stub_of(course, text + SOLUTION.partition("\n")[2]).startswith(text)


def test_the_last_line_ends_whether_the_solutions_does_or_not(course):
    assert stub_of(course, SOLUTION.rstrip("\n")) == stub_of(course, SOLUTION) == STUB


REGION = "    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def f():\n    return 1\n", "train.py: expected at least one region"),
        ("def f():\n    ### BEGIN SOLUTION\n    return 1\n", "train.py:2: expected '### END SOLUTION' after"),
        ("def f():\n    return 1\n    ### END SOLUTION\n", "train.py:3: expected '### BEGIN SOLUTION' before"),
        (f"def f():\n    ### BEGIN SOLUTION\n{REGION}", "train.py:3: expected '### END SOLUTION' for line 2"),
        (
            "### BEGIN SOLUTION\nx = 1\n### END SOLUTION\n",
            "train.py:1: .* inside of a function, found it in the module",
        ),
        (f"class A:\n{REGION.replace('return', 'x =')}", "train.py:2: .* found it in class A"),
        (f"def f():\n{REGION.replace('return 1', '# nothing')}    return 2\n", "train.py:2: expected statements"),
        (f"def f():\n{REGION.replace('### END', '## END')}", "train.py:4: .* alone on its line, found '## END"),
        (f"def f():\n{REGION.replace('BEGIN', 'begin')}", "train.py:2: .* alone on its line, found '### begin"),
        (f"def f():\n{REGION.replace('SOLUTION', 'SOLUTIONS')}", "train.py:2: .* alone on its line"),
        ("def f():\n    x = 1  ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n", "train.py:2: .* alone"),
        (f"def f():\n{REGION.replace('    ###', '  ###')}", "train.py:2: .* indented as its markers"),
        (
            "def f():\n    if 1:\n        ### BEGIN SOLUTION\n        x = 1\n    return x\n        ### END SOLUTION\n",
            "train.py:3: .* indented",
        ),
        (
            "def f():\n    return (\n    ### BEGIN SOLUTION\n    1\n    ### END SOLUTION\n    )\n",
            "train.py:3: expected stat",
        ),
        (f"def f(:\n{REGION}", "train.py:1: expected Python"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(course, source, said):
    with pytest.raises(UsageError, match=f"^solutions/project/{said}") as caught:
        stub_of(course, source)
    assert "\n" not in str(caught.value)


def test_sync_brings_everything_in_step(course):
    handout = course.handout("project")
    names = ["train.py", "extra.py", "main.py", "project.ipynb"]
    expected = [Change(handout / name, Action.CREATE) for name in names]
    assert sync(course, "project", check=True) == expected
    assert not (handout / "train.py").exists()
    assert sync(course, "project", check=False) == expected
    assert (handout / "train.py").read_text() == STUB
    assert (handout / "main.py").read_text() == "import train\n"
    assert sync(course, "project", check=True) == sync(course, "project", check=False) == []
    assert as_text(student_notebook(course, "project")) == (handout / "project.ipynb").read_text()
    assert sorted(path.name for path in handout.iterdir()) == sorted(["assignment.toml", *names])


def test_sync_writes_only_what_differs(course):
    handout = course.handout("project")
    sync(course, "project", check=False)
    (handout / "train.py").write_text(STUB + "# edited\n")
    os.utime(handout / "main.py", ns=(0, 0))
    changes = sync(course, "project", check=True)
    assert [str(change) for change in changes] == [f"update {handout / 'train.py'}"]
    assert "edited" in (handout / "train.py").read_text()
    sync(course, "project", check=False)
    assert (handout / "train.py").read_text() == STUB
    assert (handout / "main.py").stat().st_mtime_ns == 0


def test_one_bad_solution_leaves_all_stubs_alone(tmp_path):
    course = make_course(tmp_path, extra="x = 1\n")
    with pytest.raises(UsageError, match=r"extra.py: expected at least one region"):
        sync(course, "project", check=False)
    assert [path.name for path in course.handout("project").iterdir()] == ["assignment.toml"]


def test_main_is_given_whole(tmp_path):
    course = make_course(tmp_path, main=SOLUTION)
    with pytest.raises(UsageError, match=r"main.py: expected a file that is given"):
        sync(course, "project", check=True)


def test_a_missing_or_undecodable_solution_is_one_line(course):
    (course.solution("project") / "extra.py").write_bytes(b"x = '\xff'")
    with pytest.raises(UsageError, match=r"extra.py: expected UTF-8, found something else at byte 5\.$"):
        sync(course, "project", check=True)
    (course.solution("project") / "extra.py").unlink()
    with pytest.raises(UsageError, match=r"extra.py: expected a solution file, cannot read it: No such file"):
        sync(course, "project", check=True)
    with pytest.raises(UsageError, match=r"no assignment 'projekt'.*did you mean 'project'"):
        sync(course, "projekt", check=True)


# This repository's own

HERE = Course.find(Path(__file__).parent)


@pytest.mark.parametrize("name", HERE.names)
def test_the_stubs_are_in_step_with_the_solutions(name):
    assert [str(change) for change in sync(HERE, name, check=True)] == []


@pytest.mark.parametrize("name", HERE.names)
def test_no_line_of_a_solution_is_in_its_stub(name):
    """Told by the marker lines alone, and but for lines that are given elsewhere in the file on purpose."""
    for task in HERE.assignment(name).task:
        given, secret, inside = set(), set(), False
        for line in (HERE.solution(name) / task.file).read_text("utf-8").splitlines():
            if re.fullmatch(r"\s*### (BEGIN|END) SOLUTION\s*", line):
                inside = "BEGIN" in line
            else:
                (secret if inside else given).add(line.strip())
        stub = {line.strip() for line in (HERE.handout(name) / task.file).read_text("utf-8").splitlines()}
        assert secret
        assert not {line for line in (secret - given) & stub if len(line) > 20}
        assert "SOLUTION" not in "\n".join(stub)
