"""The arena's checks as an ordinary autograder has them: the student's code is imported into the process that judges."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path.cwd()))

rng = np.random.default_rng(4)


def test_total():
    from measure import total

    values = rng.normal(size=6)
    assert total(values) == pytest.approx(values.sum())


def test_spread():
    from measure import spread

    values = rng.normal(size=6)
    assert spread(values) == pytest.approx(np.ptp(values))
    with pytest.raises(ValueError):  # noqa: PT011
        spread(values[:0])


def test_rmse():
    from measure import rmse

    actual, predicted = rng.normal(size=(2, 9))
    assert rmse(actual, predicted) == pytest.approx(np.sqrt(np.mean((actual - predicted) ** 2)))


def test_standardize():
    from measure import standardize

    x = rng.normal(3, 2, size=(8, 3))
    np.testing.assert_allclose(standardize(x), (x - x.mean(0)) / x.std(0), rtol=1e-6)


def test_clean():
    from measure import clean

    frame = pd.DataFrame(rng.normal(size=(7, 2)), columns=["a", "b"])
    frame.iloc[2, 0] = frame.iloc[5, 1] = np.nan
    pd.testing.assert_frame_equal(clean(frame), frame.fillna(frame.median()))


def test_describe():
    from measure import describe

    values = [float(value) for value in rng.normal(size=5)]
    assert describe(values) == {"n": 5, "mean": float(np.mean(values)), "largest": max(values)}


def test_refuse():
    from measure import refuse

    assert refuse("abcdef") == 6
    with pytest.raises(ValueError):  # noqa: PT011
        refuse("ABC")


def test_predict():
    from learn import predict

    weights = rng.normal(size=4)
    x, new = rng.normal(size=(40, 4)), rng.normal(size=(30, 4))
    y, hidden = (part @ weights + 2 + 0.1 * rng.normal(size=len(part)) for part in (x, new))
    predicted = predict(x, y, new)
    r2 = 1 - np.sum((hidden - predicted) ** 2) / np.sum((hidden - hidden.mean()) ** 2)
    assert not r2 < 0.9


def test_train():
    from accelerate import Accelerator
    from learn import train
    from torch.utils.data import DataLoader, TensorDataset

    x, y = torch.randn(12, 3), torch.randn(12)
    model = nn.Sequential(nn.Linear(3, 1), nn.Flatten(0))
    history = train(model, DataLoader(TensorDataset(x, y), batch_size=4), Accelerator(cpu=True), 2, 0.05)
    assert history[1] < history[0]


def test_model():
    from learn import make_model

    x, model = torch.randn(5, 4), make_model(4, 7)
    state = model.state_dict()
    hidden = torch.relu(x @ state["0.weight"].T + state["0.bias"])
    assert torch.allclose(model(x), hidden @ state["2.weight"].T + state["2.bias"], atol=1e-5)


def test_batches():
    from learn import batches

    x = rng.normal(size=(10, 2))
    np.testing.assert_array_equal(np.concatenate(list(batches(x, 4))), x)


def test_plot():
    from draw import plot

    values = rng.normal(size=7)
    axes = plot(values).axes[0]
    assert axes.get_title() == "Values (7)"
    np.testing.assert_allclose(axes.lines[0].get_ydata(), values)


def test_read(tmp_path):
    from draw import read

    (tmp_path / "numbers.txt").write_text("1.5\n2.5\n")
    assert read(str(tmp_path)) == 4
