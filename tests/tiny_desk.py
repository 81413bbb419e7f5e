"""A student's folder with two tiny tasks: what the tests of the student's desk work at."""

from pathlib import Path

TOML = """
name = "tiny"
title = "Tiny"
difficulty = "easy"
[[task]]
number = 1
name = "sums"
title = "Sums"
[task.checks]
hidden_sum = 7
hidden_mean = 8
[[task]]
number = 2
name = "plots"
title = "Plots"
[task.checks]
hidden_plot = 10
[[task]]
number = 3
name = "bonus"
title = "More"
bonus = true
[task.checks]
hidden_more = 4
"""
CHECK_SUMS = """
from grader.suite import as_float, assert_close, check


@check(title="total adds", hint="sum()")
def test_sums_total(student):
    assert_close(as_float(student.sums.total([1, 2]), "the total"), 3.0, "the total", case="1 and 2")


@check(title="mean divides", hint="by len()")
def test_sums_mean(student):
    assert_close(as_float(student.sums.mean([1, 2, 6]), "the mean"), 3.0, "the mean", case="1, 2 and 6")
"""
CHECK_PLOTS = """
from grader.suite import as_figure, check, require_equal


@check(title="draw shows the total in its title", hint="set_title")
def test_plots_draw(student):
    figure = as_figure(student.plots.draw([1, 2]), "the figure", axes=1)
    require_equal(figure.axes[0].title, "total 3", "the title names the total")
"""
CHECK_BONUS = """
from grader.suite import check, require_equal


@check(title="more is one more", hint="+ 1")
def test_bonus_more(student):
    require_equal(student.bonus.more(1), 2, "1 becomes 2")
"""
SUMS = """
def total(values):
    return float(sum(values))


def mean(values):
    return total(values) / len(values)
"""
PLOTS = """
import matplotlib.pyplot as plt
from sums import total


def draw(values):
    figure, axis = plt.subplots()
    axis.plot(values)
    axis.set_title(f"total {total(values):g}")
    return figure
"""
TO_DO = """
def more(n):
    raise NotImplementedError("Bonus: write more().")
"""


def write_desk(folder: Path) -> Path:
    """Write the folder, with tasks 1 and 2 solved and the bonus to do; gives `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        "assignment.toml": TOML,
        "test_public_sums.py": CHECK_SUMS,
        "test_public_plots.py": CHECK_PLOTS,
        "test_public_bonus.py": CHECK_BONUS,
        "sums.py": SUMS,
        "plots.py": PLOTS,
        "bonus.py": TO_DO,
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
