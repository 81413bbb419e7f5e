"""What the checks of task 4 share: stand-ins for the files that tune.py imports, and the prices that it searches."""

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from grader.errors import StudentFault
from grader.suite import Run, recipe, reference


@pytest.fixture
def tuner(request: pytest.FixtureRequest, student) -> Iterator:
    """The student, whose tune.py imports the suite's stand-ins for as long as the check runs."""
    files = (request.path.parent / "stand_ins_of_tune").glob("*.py")
    stand_ins = student.make(recipe("StandInsOfTune", {path.stem: path.read_text("utf-8") for path in files}))
    yield student
    with suppress(StudentFault):  # a worker that was ended has taken its stand-ins along
        stand_ins.leave()


@reference
def walk(run: Run) -> pd.DataFrame:
    """102 days, of which 15.3 and so 15 are the test's."""
    return _random_walk(102, run.rng("walk"))


@reference
def long_walk(run: Run) -> pd.DataFrame:
    """104 days, of which 15.6 and so 16 are the test's."""
    return _random_walk(104, run.rng("long walk"))


def _random_walk(days: int, rng: np.random.Generator) -> pd.DataFrame:
    """A random walk, as `clean_prices` returns it."""
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, days)))
    index = pd.bdate_range("2021-03-01", periods=days, name="Date")
    low, high = close * 0.99, close * 1.01
    volume = rng.integers(1000, 9000, days)
    return pd.DataFrame({"Open": low, "High": high, "Low": low, "Close": close, "Volume": volume}, index=index)
