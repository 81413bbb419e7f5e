"""What a hidden suite and the public self-checks are written with.

    from grader.suite import accelerator, assert_close, check, loader, reference

    @check(title="…", hint="…")
    def test_something(student, rng): ...

Fixtures: `student`, `on_stand_ins` (the student beside the suite's own files for other tasks), `rng` (a generator of this
check's own), `run`, `thresholds`, `gauge` (compares a number with a line), and every `@reference`.
"""

from grader.sandbox.remote import Recipe
from grader.suite.assertions import (
    CheckFailed,
    as_array,
    as_figure,
    as_float,
    as_frame,
    as_series,
    assert_close,
    assert_same,
    require,
    require_columns,
    require_equal,
)
from grader.suite.checks import Run, check, reference
from grader.suite.exhibits import confusion, exhibit, lines, scatter
from grader.suite.faults import StudentError
from grader.suite.figures import Figure
from grader.suite.gauge import Gauge
from grader.suite.proxies import RankResults
from grader.suite.recipes import accelerator, file, folder, linear, loader, recipe, stand_in, tensor
from grader.suite.student import Student

__all__ = [
    "CheckFailed",
    "Figure",
    "Gauge",
    "RankResults",
    "Recipe",
    "Run",
    "Student",
    "StudentError",
    "accelerator",
    "as_array",
    "as_figure",
    "as_float",
    "as_frame",
    "as_series",
    "assert_close",
    "assert_same",
    "check",
    "confusion",
    "exhibit",
    "file",
    "folder",
    "linear",
    "lines",
    "loader",
    "recipe",
    "reference",
    "require",
    "require_columns",
    "require_equal",
    "scatter",
    "stand_in",
    "tensor",
]
