"""Tasks 4 and 5 of project 3's reference solution, against scikit-learn, plain loops and a walk forward by hand."""

from types import SimpleNamespace

import matplotlib.dates as mdates
import numpy as np
import pandas as pd
import pytest
import stock_forecasting_solved as shared
import torch
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, root_mean_squared_error
from sklearn.model_selection import TimeSeriesSplit
from sklearn.preprocessing import StandardScaler

solved, accelerator, close_figures = shared.solved, shared.accelerator, shared.close_figures
WINDOWS, TARGETS, Line, loader, draw_prices = (
    shared.WINDOWS,
    shared.TARGETS,
    shared.Line,
    shared.loader,
    shared.draw_prices,
)
SMALL = {"cell": ["rnn"], "hidden_size": [2, 3], "lookback": [4, 6], "epochs": [1], "lr": [0.01, 0.1]}

# Task 4 ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "n_splits", "min_train", "gap"), [(10, 3, 4, 1), (40, 4, 20, 0), (33, 3, 12, 5)])
def test_even_folds_are_scikit_learns(solved, n, n_splits, min_train, gap):
    found = solved.tune.walk_forward_splits(n, n_splits, min_train, gap)
    theirs = TimeSeriesSplit(n_splits, test_size=(n - min_train) // n_splits, gap=gap).split(np.zeros(n))
    expected = [(train.tolist(), val.tolist()) for train, val in theirs]
    assert [(train.tolist(), val.tolist()) for train, val in found] == expected


def test_uneven_folds_cover_everything_once(solved):
    for n, n_splits, min_train, gap in ((11, 3, 4, 1), (50, 7, 20, 3), (9, 5, 4, 3)):
        folds = solved.tune.walk_forward_splits(n, n_splits, min_train, gap)
        assert np.concatenate([val for _, val in folds]).tolist() == list(range(min_train, n))
        assert max(len(val) for _, val in folds) - min(len(val) for _, val in folds) <= 1
        assert [train.tolist() for train, _ in folds] == [list(range(val[0] - gap)) for _, val in folds]


@pytest.mark.parametrize("impossible", [(10, 0, 5, 0), (10, 2, 0, 0), (10, 2, 3, 3), (10, 4, 7, 0), (10, 1, 10, 0)])
def test_impossible_folds_are_refused(solved, impossible):
    with pytest.raises(ValueError, match="expected"):
        solved.tune.walk_forward_splits(*impossible)


def walk_by_hand(solved, prices: pd.DataFrame, settings: dict, seed: int) -> list[float]:
    """MAE in price of an untrained network, fold by fold, with scikit-learn's scaler and no function of Task 4 or 5."""
    features, close = solved.features.build_features(prices), prices["Close"].to_numpy()
    lookback, first = settings["lookback"], len(prices) - len(features)
    n = len(features) - lookback
    scores = []
    for block in np.array_split(np.arange(n // 2, n), 3):
        rows = range(block[0] - lookback)
        target = {k: np.log(close[first + lookback + k] / close[first + lookback + k - 1]) for k in range(n)}
        scaler = StandardScaler().fit(np.concatenate([features.to_numpy()[k : k + lookback] for k in rows]))
        y = np.array([target[k] for k in rows])
        X = np.stack([scaler.transform(features.to_numpy()[k : k + lookback]) for k in block])
        torch.manual_seed(seed)
        model = solved.model.PriceRNN(8, settings["hidden_size"], cell=settings["cell"]).eval()
        with torch.no_grad():
            said = model(torch.tensor(X, dtype=torch.float32)).numpy() * y.std() + y.mean()
        last = close[first + lookback - 1 + block]
        scores.append(mean_absolute_error(close[first + lookback + block], last * np.exp(said)))
    return scores


def test_a_trials_score_walks_forward_in_prices(solved, accelerator, monkeypatch):
    monkeypatch.setattr(solved.tune, "train", lambda *_: None)
    prices, built = draw_prices(160), accelerator()
    table = solved.tune.search(prices, SMALL, built, n_trials=5, seed=3)
    assert list(table) == [*SMALL, "mae_mean", "mae_std", "seconds", "error"]
    assert table.index.tolist() == [0, 1, 2, 3, 4]
    known = prices.iloc[: 160 - 24]
    for row in table.to_dict("records"):
        scores = walk_by_hand(solved, known, row, seed=3)
        assert row["mae_mean"] == pytest.approx(np.mean(scores), rel=1e-5)
        assert row["mae_std"] == pytest.approx(np.std(scores), rel=1e-3)
        assert row["error"] == ""


def test_each_fold_learns_from_its_own_past_alone(solved, accelerator, monkeypatch):
    met, trained = [], solved.tune.train

    def watched(model, train_loader, val_loader, accelerator, config):
        met.append((train_loader.dataset.tensors, {name: p.clone() for name, p in model.state_dict().items()}, config))
        return trained(model, train_loader, val_loader, accelerator, config)

    monkeypatch.setattr(solved.tune, "train", watched)
    settings = {"lookback": 5, "hidden_size": 2, "epochs": 1, "lr": 0.5, "loss": "mse", "patience": None}
    solved.tune.cross_validate(draw_prices(150), settings, accelerator(), seed=4)
    assert [len(y) for (_, y), _, _ in met] == sorted({len(y) for (_, y), _, _ in met})
    for (X, y), weights, config in met:
        # standardised by the fold's own training windows, whatever the folds before were
        torch.testing.assert_close(X.reshape(-1, 8).mean(dim=0), torch.zeros(8), atol=1e-4, rtol=0)
        torch.testing.assert_close(y.std(correction=0), torch.tensor(1.0), atol=1e-4, rtol=0)
        torch.testing.assert_close(weights, met[0][1], atol=0, rtol=0)
        assert config == solved.train.TrainConfig(epochs=1, lr=0.5, loss="mse", patience=None, seed=4)


def test_the_test_part_has_no_say_and_the_seed_all(solved, accelerator):
    prices, built = draw_prices(150), accelerator()
    n_test = round(0.15 * 150)
    crash = prices.mul(np.append(np.ones(150 - n_test), np.linspace(0.5, 0.1, n_test)), axis=0)
    torch.manual_seed(1)
    first = solved.tune.search(prices, SMALL, built, n_trials=3, seed=1).drop(columns="seconds")
    torch.manual_seed(2)
    again = solved.tune.search(crash, SMALL, built, n_trials=3, seed=1).drop(columns="seconds")
    pd.testing.assert_frame_equal(first, again)
    other = solved.tune.search(prices, SMALL, built, n_trials=3, seed=2).drop(columns="seconds")
    assert not first.equals(other)


def test_a_failed_trial_is_a_row(solved, accelerator):
    space = {**SMALL, "cell": ["rnn", "gsu"], "max_grad_norm": [None], "lookback": [4, 4000]}
    table = solved.tune.search(draw_prices(150), space, accelerator(), n_trials=12, seed=0)
    failed = (table["cell"] == "gsu") | (table["lookback"] == 4000)
    assert 0 < failed.sum() < 12
    assert table.loc[failed, ["mae_mean", "mae_std"]].isna().all(axis=None)
    assert (table.loc[failed, "error"] != "").all()
    assert table.loc[(table["cell"] == "gsu") & (table["lookback"] == 4), "error"].str.contains("gsu").all()
    assert (table.loc[~failed, "error"] == "").all()
    assert np.isfinite(table.loc[~failed, "mae_mean"]).all()
    winner = solved.tune.best(table)
    expected = table[table["mae_mean"] == table["mae_mean"].min()].iloc[0]
    assert winner == {name: expected[name] for name in space}
    assert winner["max_grad_norm"] is None
    assert isinstance(winner["hidden_size"], int)
    with pytest.raises(ValueError, match=table.loc[failed, "error"].iloc[0].split(":")[0]):
        solved.tune.best(table[failed])
    with pytest.raises(ValueError, match="expected"):
        solved.tune.best(table.iloc[:0])


def test_draws_are_of_each_setting_by_itself(solved, accelerator, monkeypatch):
    monkeypatch.setattr(solved.tune, "cross_validate", lambda *_, **__: [1.0, 3.0])
    space = {"hidden_size": [1, 2, 3], "lr": [0.1, 0.2, 0.3], "dropout": [0.0, 0.5]}
    table = solved.tune.search(draw_prices(30), space, accelerator(), n_trials=300, seed=0)
    met = table.groupby(["hidden_size", "lr", "dropout"]).size()
    assert len(met) == 18, "every combination is drawn"
    assert met.between(4, 40).all()
    assert (table["mae_mean"].unique().tolist(), table["mae_std"].unique().tolist()) == ([2.0], [1.0])


@pytest.mark.parametrize(("budget", "rows"), [(None, 5), (0, 1), (10, 2), (1000, 5)])
def test_no_trial_begins_after_the_budget(solved, accelerator, monkeypatch, budget, rows):
    clock = SimpleNamespace(now=100.0)

    def take_seven_seconds(*_: object, **__: object) -> list[float]:
        clock.now += 7
        return [1.0]

    monkeypatch.setattr(solved.tune, "cross_validate", take_seven_seconds)
    monkeypatch.setattr(solved.tune, "time", SimpleNamespace(monotonic=lambda: clock.now))
    table = solved.tune.search(draw_prices(30), {"lr": [1]}, accelerator(), n_trials=5, seed=0, budget_seconds=budget)
    assert table["seconds"].tolist() == [7.0] * rows


# Task 5 ---------------------------------------------------------------------------------------------------------------


def test_errors_are_scikit_learns(solved):
    rng = np.random.default_rng(0)
    true, said = rng.uniform(20, 30, 50), rng.uniform(20, 30, 50)
    for a, b in ((true, said), (pd.Series(true, range(50)), pd.Series(said, range(7, 57)))):
        assert solved.evaluate.mae(a, b) == pytest.approx(mean_absolute_error(true, said))
        assert solved.evaluate.rmse(a, b) == pytest.approx(root_mean_squared_error(true, said))
        assert solved.evaluate.mape(a, b) == pytest.approx(100 * mean_absolute_percentage_error(true, said))


def test_direction_counts_days_that_have_one(solved):
    last, true = np.array([10.0, 10, 10, 10, 10]), np.array([11.0, 9, 10, 12, 8])
    said = np.array([10.5, 10, 13, 9, 1])  # right, no change, not counted, wrong, right
    assert solved.evaluate.directional_accuracy(last, true, said) == 0.5
    assert np.isnan(solved.evaluate.directional_accuracy(last, last, said))


@pytest.mark.parametrize("horizon", [1, 3])
def test_the_naive_forecast_says_what_was(solved, horizon):
    close = draw_prices(9)["Close"]
    found = solved.evaluate.naive_forecast(close, horizon)
    assert found.iloc[:horizon].isna().all()
    assert found.iloc[horizon:].tolist() == close.iloc[:-horizon].tolist()
    assert found.index.equals(close.index)


@pytest.mark.parametrize("training", [True, False])
def test_forecasts_come_once_in_order_and_leave_no_trace(solved, accelerator, training):
    model = Line(dropout=0.9).train(training)
    y_true, y_pred = solved.evaluate.predict(model, loader(11, 4), accelerator())
    np.testing.assert_array_equal(y_true, TARGETS[:11])
    np.testing.assert_allclose(y_pred, Line().eval()(WINDOWS[:11]).detach(), rtol=1e-5, atol=1e-6)
    assert model.training is training
    assert all(p.grad is None for p in model.parameters())


def test_evaluation_is_in_prices(solved, accelerator):
    close = np.random.default_rng(0).uniform(20, 200, 11)
    scaler = solved.features.Scaler().fit(np.zeros((2, 1, 1)), np.array([-0.01, 0.05]))  # mean 0.02, deviation 0.03
    found = solved.evaluate.evaluate(Line(), loader(11, 4), scaler, close, accelerator())
    true = close * np.exp(0.02 + 0.03 * TARGETS[:11].numpy())
    said = close * np.exp(0.02 + 0.03 * Line()(WINDOWS[:11]).detach().numpy())
    error, naive = mean_absolute_error(true, said), mean_absolute_error(true, close)
    expected = {
        "mae": error,
        "rmse": root_mean_squared_error(true, said),
        "mape": 100 * mean_absolute_percentage_error(true, said),
        "directional_accuracy": np.mean((true > close) == (said > close)),
        "naive_mae": naive,
        "skill": 1 - error / naive,
    }
    assert found == pytest.approx(expected, rel=1e-4)


def test_pictures_show_what_they_are_given(solved):
    days = pd.bdate_range("2024-01-01", periods=5)
    actual, said = np.arange(5.0), np.arange(5.0) ** 2
    axis = solved.evaluate.plot_forecast(days, actual, said, "CHF").axes[0]
    for line, name, values in zip(axis.lines, ("actual", "forecast"), (actual, said), strict=True):
        assert line.get_label() == name
        np.testing.assert_array_equal(line.get_ydata(), values)
        np.testing.assert_array_equal(mdates.date2num(line.get_xdata()), mdates.date2num(days))
    assert [text.get_text() for text in axis.get_legend().get_texts()] == ["actual", "forecast"]
    assert axis.get_title()
    assert axis.get_xlabel()
    assert "CHF" in axis.get_ylabel()

    row = {"cell": "gru", "hidden_size": 2, "num_layers": 1, "lookback": 9, "lr": 0.1, "mae_std": 0.1}
    trials = pd.DataFrame([row | {"mae_mean": mean} for mean in (3.0, np.nan, 2.0)])
    axis = solved.tune.plot_trials(trials, naive=2.5).axes[0]
    assert axis.lines[0].get_xdata().tolist() == [2.0, 3.0]
    assert len(axis.get_yticklabels()) == 2
