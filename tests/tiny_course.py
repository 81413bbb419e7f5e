"""A course of one tiny assignment, written into a folder: what the tests of grading grade."""

from pathlib import Path

TOML = """
name = "tiny"
title = "Tiny"
difficulty = "easy"
[limits]
check_seconds = 2
submission_seconds = 20
wall_slack = 4
memory_mb = 512
[[task]]
number = 1
name = "sums"
title = "Sums"
[task.checks]
adds = 2
keeps = 3
breaks = 1
[[task]]
number = 2
name = "draws"
title = "Draws"
bonus = true
[task.checks]
draws = 4
"""
SUMS = """
import numpy as np

from grader.suite import Run, assert_close, as_float, check, recipe, reference, require


@reference
def numbers(run: Run) -> np.ndarray:
    return run.rng("numbers").normal(size=5)


@check(title="total adds", hint="sum()")
def test_adds(student, numbers):
    assert_close(as_float(student.sums.total(numbers), "the total"), numbers.sum(), "the total")


@check(title="a Counter counts", hint="keep the count in self")
def test_keeps(student):
    counter = student.sums.Counter()
    for expected in (1, 2):
        require(counter.step() == expected, "step counts", expected=expected)
    require(len(student.make(recipe("three"))) == 3, "recipes of the suite's own are shipped")


@check(title="an odd word is refused", hint="raise ValueError")
def test_breaks(student):
    with student.raises(ValueError):
        student.sums.total("odd")
    if student.sums.total([7]) == "break the suite":
        raise KeyError("the suite is at fault here")
"""
DRAWS = """
from grader.suite import as_array, check, require


@check(title="draws numbers", hint="any")
def test_draws(student, rng):
    require(bool(as_array(student.draws.draw(int(rng.integers(9))), "it", shape=(2,)).sum() >= 0), "they are numbers")
"""
RIGHT = {
    "sums.py": """
class Counter:
    n = 0
    def step(self):
        self.n += 1
        return self.n

def total(values):
    if isinstance(values, str):
        raise ValueError("no words")
    return float(sum(values))
""",
    "draws.py": "def draw(n):\n    return [n, n]\n",
}


def write_course(root: Path) -> Path:
    """Write the course below `root`; gives `root`."""
    files = {
        "assignments/tiny/assignment.toml": TOML,
        "tests/hidden/tiny/test_sums.py": SUMS,
        "tests/hidden/tiny/test_draws.py": DRAWS,
        "tests/hidden/tiny/recipes.py": "def three():\n    return [1, 2, 3]\n",
        **{f"solutions/tiny/{name}": text for name, text in RIGHT.items()},
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
