"""Tasks 3 to 5 and the bonus of project 1's reference solution, against closed forms, plain loops and scikit-learn."""

import house_prices_solved as shared
import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import KFold

solved, houses, accelerator, close_figures = shared.solved, shared.houses, shared.accelerator, shared.close_figures

X = np.random.default_rng(0).normal(size=(22, 3)).astype("float32")
Y = (12 + X @ [0.3, -0.2, 0.1] + np.random.default_rng(1).normal(0, 0.1, 22)).astype("float32")


def descend(batches: list[list[int]], *, lr: float, accumulate: int = 1) -> tuple[np.ndarray, float, list[float]]:
    """Gradient descent on mean squared error by hand: final weights, bias, and the squared errors met on the way."""
    w, b, met = np.zeros(3), 11.0, []
    step_w, step_b = np.zeros(3), 0.0
    for number, rows in enumerate(batches, start=1):
        error = X[rows] @ w + b - Y[rows]
        met.extend(error**2)
        step_w += 2 * X[rows].T @ error / len(rows) / accumulate
        step_b += 2 * error.mean() / accumulate
        if number % accumulate == 0 or number == len(batches):
            w, b = w - lr * step_w, b - lr * step_b
            step_w, step_b = np.zeros(3), 0.0
    return w, b, met


def weights(model: torch.nn.Module) -> tuple[np.ndarray, float]:
    """A linear model's weights and bias."""
    return model.linear.weight.detach().numpy()[0], model.linear.bias.item()


def in_order(n: int, size: int, epochs: int = 1) -> list[list[int]]:
    """Row numbers 0 … n-1 in batches, once an epoch."""
    return [list(range(start, min(start + size, n))) for start in range(0, n, size)] * epochs


# Task 3 ---------------------------------------------------------------------------------------------------------------


def test_model_starts_at_the_given_bias_and_keeps_the_batch_shape(solved):
    model = solved.train.LinearRegression(3, bias_init=12.5)
    for n in (1, 5):
        y = model(torch.randn(n, 3))
        assert y.shape == (n,)
        torch.testing.assert_close(y, torch.full((n,), 12.5))


def test_loader_drops_no_row_and_repeats_by_seed(solved):
    frame, series = pd.DataFrame(X.astype("float64"), index=range(50, 72)), pd.Series(Y, index=range(50, 72))
    for features, targets in ((frame, series), (X, Y[:, None]), (torch.tensor(X), list(Y))):
        batches = list(solved.train.make_loader(features, targets, batch_size=8, shuffle=False))
        assert [tuple(x.shape) for x, _ in batches] == [(8, 3), (8, 3), (6, 3)]
        assert [tuple(y.shape) for _, y in batches] == [(8,), (8,), (6,)]
        np.testing.assert_array_equal(np.concatenate([x for x, _ in batches]), X)
        np.testing.assert_array_equal(np.concatenate([y for _, y in batches]), Y)
        assert {x.dtype for batch in batches for x in batch} == {torch.float32}
    orders = [
        [np.concatenate([y for _, y in loader]).tolist() for _ in range(2)]
        for loader in (solved.train.make_loader(X, Y, 8, shuffle=True, seed=seed) for seed in (1, 1, 2))
    ]
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][0] != orders[0][1]
    assert sorted(orders[0][0]) == sorted(Y.tolist())
    with pytest.raises(ValueError, match="22"):
        solved.train.make_loader(X, Y[:5], 8, shuffle=False)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_sgd_takes_the_steps_of_gradient_descent(solved, accelerator, accumulate):
    model = solved.train.LinearRegression(3, bias_init=11.0)
    loader = solved.train.make_loader(X, Y, 4, shuffle=False)
    built = accelerator(gradient_accumulation_steps=accumulate)
    history = solved.train.train(model, loader, built, epochs=3, lr=0.05, optimizer="sgd")
    w, b, met = descend(in_order(22, 4, epochs=3), lr=0.05, accumulate=accumulate)
    np.testing.assert_allclose(weights(model)[0], w, atol=1e-5)
    assert weights(model)[1] == pytest.approx(b, abs=1e-5)
    np.testing.assert_allclose(history, np.reshape(met, (3, 22)).mean(axis=1), rtol=1e-4)
    assert {type(loss) for loss in history} == {float}
    assert model.training


def test_adamw_is_torchs_and_spares_the_bias(solved, accelerator):
    """One full batch: Adam's first step is lr times the gradient's sign, and decay shrinks the weights before it."""
    loader = solved.train.make_loader(X, Y, 32, shuffle=False)
    model = solved.train.LinearRegression(3, bias_init=11.0)
    torch.nn.init.constant_(model.linear.weight, 0.5)
    gradient = X.T @ (X @ np.full(3, 0.5) + 11.0 - Y)
    solved.train.train(model, loader, accelerator(), epochs=1, lr=0.01, weight_decay=2.0)
    np.testing.assert_allclose(weights(model)[0], 0.5 * (1 - 0.01 * 2) - 0.01 * np.sign(gradient), atol=1e-5)
    assert weights(model)[1] == pytest.approx(11.0 + 0.01, abs=1e-5)
    with pytest.raises(ValueError, match="adamw"):
        solved.train.train(model, loader, accelerator(), epochs=1, lr=0.01, optimizer="adam")


def test_training_reaches_least_squares_and_goes_on_where_it_stopped(solved, accelerator):
    model, built = solved.train.LinearRegression(3, bias_init=11.0), accelerator()
    for _ in range(2):
        loader = solved.train.make_loader(X, Y, 32, shuffle=True)
        solved.train.train(model, loader, built, epochs=150, lr=0.1, optimizer="sgd")
    best = LinearRegression().fit(X, Y)
    np.testing.assert_allclose(weights(model)[0], best.coef_, atol=1e-3)
    assert weights(model)[1] == pytest.approx(best.intercept_, abs=1e-3)


# Task 4 ---------------------------------------------------------------------------------------------------------------


def test_rmse_takes_any_kind_of_numbers_and_never_broadcasts(solved):
    rmse = solved.evaluate.rmse
    expected = root_mean_squared_error(Y, Y[::-1])
    flipped = Y[::-1].copy()
    assert rmse(Y, flipped) == pytest.approx(expected)
    assert rmse(list(Y), pd.Series(flipped, index=range(5, 27))) == pytest.approx(expected)
    assert rmse(torch.tensor(Y, requires_grad=True), flipped[:, None]) == pytest.approx(expected)
    assert rmse(torch.tensor([1.0], dtype=torch.bfloat16), [3]) == 2.0
    assert type(rmse([1], [2])) is float
    for wrong in (([1, 2], [1]), ([], []), ([[1], [2]], [1, 2, 3])):
        with pytest.raises(ValueError, match="equally many"):
            rmse(*wrong)


class Watched(torch.nn.Module):
    """Returns the first feature, and remembers in which mode and with which gradients it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.asked: list[tuple[bool, bool]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.asked.append((self.training, torch.is_grad_enabled()))
        return self.scale * x[:, 0]


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("prepared", [True, False])
def test_predict_runs_in_eval_mode_without_gradients_and_restores(solved, accelerator, training, prepared):
    model, loader, built = Watched().train(training), solved.train.make_loader(X, Y, 4, shuffle=False), accelerator()
    if prepared:
        model, loader = built.prepare(model, loader)
    predictions = solved.evaluate.predict(model, loader, built)
    np.testing.assert_array_equal(predictions, X[:, 0])
    assert isinstance(predictions, np.ndarray)
    assert set(model.asked) == {(False, False)}
    assert model.training is training
    assert torch.is_grad_enabled()


def test_evaluate_against_scikit_learn(solved, accelerator):
    model = solved.train.LinearRegression(3, bias_init=12.0)
    loader = solved.train.make_loader(X, Y, 4, shuffle=True, seed=5)
    scores = solved.evaluate.evaluate(model, loader, accelerator())
    price, guess = np.expm1(Y.astype("float64")), np.full(22, np.expm1(12.0))
    expected = {
        "rmse_log": root_mean_squared_error(Y, np.full(22, 12.0)),
        "rmse": root_mean_squared_error(price, guess),
        "mae": mean_absolute_error(price, guess),
        "r2": r2_score(Y, np.full(22, 12.0)),
    }
    assert scores == pytest.approx(expected, rel=1e-4)


def test_prediction_plot_draws_actual_across_and_the_identity(solved):
    axis = solved.evaluate.plot_predictions(np.expm1(Y), np.expm1(Y[::-1])).axes[0]
    np.testing.assert_allclose(axis.collections[0].get_offsets(), np.stack([np.expm1(Y), np.expm1(Y[::-1])], axis=1))
    across, up = axis.lines[0].get_data()
    np.testing.assert_array_equal(across, up)
    assert "actual" in axis.get_xlabel()
    assert "predicted" in axis.get_ylabel()


# Task 5 and bonus -----------------------------------------------------------------------------------------------------


def test_cross_validation_without_training_is_the_spread_around_other_folds_means(solved, accelerator, houses):
    y = np.log1p(houses["SalePrice"].to_numpy("float64"))
    errors = []
    for held_out in solved.optimize.make_folds(400, 4, seed=3):
        errors.append(np.sqrt(np.mean((y[held_out] - np.delete(y, held_out).mean()) ** 2)))
    scores = solved.optimize.cross_validate(houses, ["LotArea"], accelerator(), k=4, seed=3, epochs=0)
    assert scores["rmse_log_mean"] == pytest.approx(np.mean(errors), rel=1e-5)
    assert scores["rmse_log_std"] == pytest.approx(np.std(errors), rel=1e-4)
    for k in (1, 401):
        with pytest.raises(ValueError, match="folds"):
            solved.optimize.cross_validate(houses, ["LotArea"], accelerator(), k=k)


def test_folds_are_held_out_once_and_the_preprocessor_never_sees_them(solved, accelerator, houses, monkeypatch):
    fitted = []

    class Recording(solved.preprocess.Preprocessor):
        def fit(self, df):
            fitted.append((set(df.index), list(df.columns)))
            return super().fit(df)

    monkeypatch.setattr(solved.optimize, "Preprocessor", Recording)
    before = houses.copy()
    solved.optimize.cross_validate(houses, ["LotArea", "Fence"], accelerator(), k=5, epochs=1)
    held_out = [set(houses.index) - rows for rows, _ in fitted]
    assert [len(rows) for rows in held_out] == [80] * 5
    assert set.union(*held_out) == set(houses.index)
    assert all(columns == ["LotArea", "Fence"] for _, columns in fitted)
    pd.testing.assert_frame_equal(houses, before)


def test_search_is_cross_validation_of_every_combination_best_first(solved, accelerator, houses):
    built, table = accelerator(), houses.head(120)
    sets = {"area": ["GrLivArea"], "both": ["GrLivArea", "Neighborhood"]}
    grid = {"lr": [0.001, 0.02], "epochs": [5]}
    results = solved.optimize.search(table, sets, grid, built, k=3, seed=1)
    assert list(results.columns) == ["feature_set", "lr", "epochs", "rmse_log_mean", "rmse_log_std"]
    assert list(results.index) == [0, 1, 2, 3]
    assert results["rmse_log_mean"].is_monotonic_increasing
    for row in results.to_dict("records"):
        scores = solved.optimize.cross_validate(
            table, sets[row["feature_set"]], built, k=3, seed=1, lr=row["lr"], epochs=row["epochs"]
        )
        assert scores == {name: row[name] for name in solved.optimize.SCORES}
    first = results.loc[0, ["feature_set", "lr", "epochs"]].to_dict()
    assert solved.optimize.best(results.iloc[::-1]) == first


def test_regressors_against_scikit_learn(solved, houses):
    table = houses.head(150)
    results = solved.bonus.compare_regressors(table, k=3, seed=2)
    assert sorted(results.index) == ["elastic_net", "lasso", "linear", "ridge"]
    assert results["rmse_log_mean"].is_monotonic_increasing
    assert (results["fit_seconds"] > 0).all()
    y, errors = np.log1p(table["SalePrice"]), []
    for rest, held_out in KFold(3, shuffle=True, random_state=2).split(table):
        preprocessor = solved.preprocess.Preprocessor().fit(table.iloc[rest])
        model = LinearRegression().fit(preprocessor.transform(table.iloc[rest]).astype("float64"), y.iloc[rest])
        predicted = model.predict(preprocessor.transform(table.iloc[held_out]).astype("float64"))
        errors.append(root_mean_squared_error(y.iloc[held_out], predicted))
    assert results.loc["linear", "rmse_log_mean"] == pytest.approx(np.mean(errors), rel=1e-3)
    assert results.loc["linear", "rmse_log_std"] == pytest.approx(np.std(errors), rel=1e-2)
    bars = solved.bonus.plot_comparison(results).axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], results["rmse_log_mean"])
