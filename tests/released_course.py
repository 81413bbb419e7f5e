"""A small course that can be released: stubs, a hidden suite, a generator, data; for the tests of the bundle."""

from pathlib import Path

from grader.course import Course
from grader.release import sync

PROJECT = """
[project]
name = "small-course"
version = "2.5"
requires-python = ">=3.11"
dependencies = ["numpy>=2,<3", "nbgrader>=0.9", "SQLAlchemy[asyncio] >= 2", "alembic", "pytest>=8.4"]
[tool.pytest.ini_options]
minversion = "8.4"
testpaths = ["tests"]
pythonpath = ["tests"]
addopts = ["--import-mode=importlib", "-m", "not slow"]
markers = ["slow: takes minutes"]
"""
DECLARATION = """
name = "small"
title = "Small"
difficulty = "easy"
data = ["given", "houses.csv"]
[[task]]
number = 1
name = "fit"
title = "Fit"
[task.checks]
slope = 3
"""
SOLUTION = '''"""Task 1: a slope."""

import numpy as np


def slope(x, y):
    """The slope of the line through the origin, by least squares."""
    ### BEGIN SOLUTION
    weights = np.asarray(x, dtype="float64")
    norm = weights @ weights
    if norm == 0:
        raise ValueError("no direction")
    return float(weights @ np.asarray(y) / norm)
    ### END SOLUTION
'''
SUITE = '''"""Hidden."""

import numpy as np

from grader.suite import as_float, assert_close, check

NOISE = 0.0375
EDGES = (2.5, 17.25, 90)
ROUND = 10


@check(title="The slope is the least squares one", hint="x @ y / x @ x")
def test_slope(student, rng):
    x = rng.normal(3.75, 2.25, size=40)
    y = -1.625 * x + NOISE * rng.normal(size=40)
    wanted = np.linalg.lstsq(x[:, None], y, rcond=None)[0][0]
    assert_close(as_float(student.fit.slope(x, y), "the slope of noisy points"), wanted, "the slope of noisy points")
'''
FILES = {
    "pyproject.toml": PROJECT,
    "assignments/small/assignment.toml": DECLARATION,
    "assignments/small/README.md": "# Small\n\nWrite `slope`.\n",
    "assignments/small/test_public_fit.py": '"""The self-check."""\n\nfrom grader.suite import check\n',
    "assignments/small/notes.txt": "an author's own\n",
    "assignments/small/results/old.txt": "what a run of main.py left\n",
    "solutions/small/fit.py": SOLUTION,
    "solutions/small/main.py": '"""All of it."""\n\nfrom fit import slope\n\nprint(slope([1], [2]))\n',
    "tests/hidden/small/test_fit.py": SUITE,
    "tests/hidden/small/recipes_noise.py": "def noisy_points_on_a_line(n):\n    return [(i, i * 1.5) for i in range(n)]\n",
    "tests/hidden/small/stand_ins/fit.py": "def slope(x, y):\n    return sum(a * b for a, b in zip(x, y, strict=True))\n",
    "fixtures/small/generate.py": "def drawn_houses(rng):\n    return rng.gamma(7.5, 12, size=(90, 4))\n",
    "fixtures/small/market.toml": "price_of_a_garage_in_dollars = 11_250\n",
    "fixtures/small/houses.csv": "x,y\n1,2\n",
    "fixtures/small/given/deep/1.bin": "\x00\x01\n",
    "fixtures/small/hidden/answers.csv": "x,y\n3,5.25\n",
}


def write_released_course(root: Path) -> Course:
    """Write the course below `root`, its stubs too."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    course = Course(root)
    sync(course, "small", check=False)
    return course
