"""The check that `test_plain.py` leaves out, in one process, so that an honest submission has 80 points everywhere."""

import numpy as np
import pytest

rng = np.random.default_rng(5)


def test_ranks():
    from accelerate import Accelerator
    from learn import mean_over_ranks

    values = [float(value) for value in rng.normal(size=6)]
    assert mean_over_ranks(Accelerator(cpu=True), values) == pytest.approx(np.mean(values))
