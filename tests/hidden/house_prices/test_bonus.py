"""Bonus: four regressors compared fairly, by experiments that a leak or a careless penalty would change.

Tasks 2 to 4 are played by the suite's stand-ins, so that a mistake there costs nothing here.
"""

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import KFold, RepeatedKFold, cross_val_score

from grader.suite import Run, as_array, as_figure, as_frame, assert_close, check, reference, require, require_columns

NAMES = ["linear", "ridge", "lasso", "elastic_net"]
PENALISED = NAMES[1:]


def compared(student, table: pd.DataFrame, name: str) -> pd.DataFrame:
    compare = lambda: student.bonus.compare_regressors(table, k=3, seed=2)  # noqa: E731
    got = as_frame(student.once(f"compare {name}", compare), "compare_regressors' result")
    require(
        sorted(map(str, got.index)) == sorted(NAMES),
        "there is one row a regressor",
        expected=NAMES,
        got=list(got.index),
    )
    require_columns(got, ["rmse_log_mean", "rmse_log_std", "fit_seconds"], "compare_regressors' result")
    return got


@reference
def noisy(run: Run) -> pd.DataFrame:
    """Few houses, many features that mean nothing: least squares overfits, a penalty chosen well does not.

    Not so few that training rows and features are nearly as many: there leave-one-out, which is a right way to choose a
    penalty, takes one that is far too small once in some hundred draws.
    """
    rng = run.rng("noisy")
    n, useless = 160, 86
    X = rng.normal(size=(n, useless + 2))
    y = 12 + 0.1 * X[:, 0] - 0.07 * X[:, 1] + 0.4 * rng.normal(size=n)
    table = pd.DataFrame(X, columns=[f"Number{i}" for i in range(useless + 2)])
    return table.assign(SalePrice=np.expm1(y)).set_index(pd.RangeIndex(1, n + 1, name="Id"))


@reference
def ridge_on_noisy(run: Run) -> float:
    """The error of a ridge regression whose penalty is chosen well, over several ways to share the houses out."""
    table = run.reference(noisy.build_reference)
    X, y = table.drop(columns="SalePrice"), np.log1p(table["SalePrice"])
    folds, ridge = RepeatedKFold(n_splits=3, n_repeats=4, random_state=1), RidgeCV(np.logspace(-3, 4, 29))
    return float(-cross_val_score(ridge, X, y, cv=folds, scoring="neg_root_mean_squared_error").mean())


@check(
    title="compare_regressors gives the scores of four regressors",
    hint="index linear, ridge, lasso, elastic_net; columns rmse_log_mean, rmse_log_std, fit_seconds.",
)
def test_table(on_stand_ins, market):
    got = compared(on_stand_ins, market.table, "market")
    spreads = as_array(got["rmse_log_std"], "rmse_log_std")
    require(bool((spreads > 0).all() and (spreads < 0.1).all()), "rmse_log_std is the spread over folds", got=spreads)


@check(
    title="The scores are errors on held-out houses",
    hint="RMSE of the log price, for all four on the same folds: a KFold that shuffles without its seed draws others for "
    "each. An alpha left at 1 leaves Lasso nothing but the mean.",
)
def test_scores(on_stand_ins, market, rng, gauge):
    got = compared(on_stand_ins, market.table, "market")
    X, y = market.table.drop(columns="SalePrice"), np.log1p(market.table["SalePrice"])
    folds = KFold(3, shuffle=True, random_state=1)
    expected = -cross_val_score(LinearRegression(), X, y, cv=folds, scoring="neg_root_mean_squared_error").mean()
    for name in NAMES:
        mean = float(as_array(got.loc[name, "rmse_log_mean"], "rmse_log_mean"))
        rule = f"{name}'s error is about that of least squares"
        gauge(mean / expected, rule, at_least=0.7, at_most=1.3, unit=" times")
    require_same_folds(on_stand_ins, rng)


def require_same_folds(student, rng: np.random.Generator) -> None:
    """Houses that nothing tells apart: each regressor answers the training mean, and only other folds change its score."""
    n = 40
    y = 12 + rng.choice([-1, 1], n) * np.clip(np.exp(rng.normal(-1, 1, n)), 0, 5)  # a few far off: the folds differ
    table = pd.DataFrame({"LotArea": 9000.0, "YrSold": 2008.0, "SalePrice": np.expm1(y)})
    got = compared(student, table.set_index(pd.RangeIndex(1, n + 1, name="Id")), "houses alike")
    # Rounding is a millionth; on other folds the mean moves by some per cent, the spread by much more.
    for score in ("rmse_log_mean", "rmse_log_std"):
        scores = as_array(got.loc[NAMES, score], score)
        case = f"{score} of houses that differ in nothing but their price, where all four answer the mean"
        same = np.allclose(scores, scores[0], rtol=1e-3, atol=0)
        require(same, "all four regressors are scored on the same folds", got=scores, case=case)


@check(
    title="The strength of the penalty is chosen on the training folds",
    hint="RidgeCV, LassoCV and ElasticNetCV inside each fold, over a grid that is wide enough.",
)
def test_penalties_help(on_stand_ins, noisy, ridge_on_noisy, gauge):
    means = compared(on_stand_ins, noisy, "noisy")["rmse_log_mean"]
    for name in PENALISED:
        ratio = float(as_array(means[name], name) / as_array(means["linear"], "linear"))
        gauge(ratio, f"{name} overfits less than least squares", at_most=0.9, unit=" of its error")
        best = float(as_array(means[name], name)) / ridge_on_noisy  # other folds and other grids move it by a twentieth
        gauge(best, f"{name}'s penalty is about the best one", at_most=1.35, unit=" times the best penalty's error")


@check(title="The best regressor comes first", hint="Sort by rmse_log_mean, ascending.")
def test_sorted(on_stand_ins, noisy):
    means = as_array(compared(on_stand_ins, noisy, "noisy")["rmse_log_mean"], "rmse_log_mean").tolist()
    require(means == sorted(means) and means[0] < means[-1], "the smallest error comes first", got=means)


@check(
    title="Preprocessing is fitted inside each fold",
    hint="Put the preprocessor and the regressor into one pipeline and score it on the houses held out; the spread is the "
    "standard deviation over the folds, not the variance.",
)
def test_fits_inside(on_stand_ins, market, rng, gauge):
    table = market.table[["GrLivArea", "SalePrice"]].copy()
    table.loc[table.index[int(rng.integers(len(table)))], "GrLivArea"] = 1e6
    got = compared(on_stand_ins, table, "outlier")
    mean, std = (float(as_array(got.loc["ridge", name], name)) for name in ("rmse_log_mean", "rmse_log_std"))
    gauge(mean, "a house far from all training rows is predicted far off", at_least=2)
    rule = "rmse_log_std is the standard deviation over the folds"
    # one error of three is large: their deviation is √2 of their mean, or √3 with ddof 1
    gauge(std / mean, rule, at_least=1.3, at_most=1.8, unit=" of the mean")


@check(
    title="fit_seconds is the time spent fitting",
    hint="time.perf_counter() before and after fit, one subtracted from the other; a sum or a mean over the folds.",
)
def test_seconds(on_stand_ins, market):
    seconds = as_array(compared(on_stand_ins, market.table, "market")["fit_seconds"], "fit_seconds")
    require(
        bool((seconds > 0).all() and (seconds < 60).all()), "each took some time, and less than a minute", got=seconds
    )


@check(
    title="plot_comparison shows each regressor's error",
    hint="A bar or a point for each, at its rmse_log_mean, labelled with its name.",
)
def test_comparison_plot(on_stand_ins, rng):
    errors = np.sort(rng.uniform(0.1, 0.3, 4)).round(4)
    results = pd.DataFrame(
        {"rmse_log_mean": errors, "rmse_log_std": errors / 10, "fit_seconds": [0.1, 0.2, 0.3, 0.4]},
        index=pd.Index(rng.permutation(NAMES)),
    )
    figure = as_figure(on_stand_ins.bonus.plot_comparison(results), "plot_comparison's result", axes=1)
    words = figure.words + " ".join(" ".join((*axis.ticks[0], *axis.ticks[1], *axis.texts)) for axis in figure.axes)
    missing = [name for name in NAMES if name not in words and name.replace("_", " ") not in words.lower()]
    require(not missing, "every regressor is named", expected=missing)
    drawn = [d.values[:, 2:] for a in figure.axes for d in a.bars] + [
        d.values for a in figure.axes for d in (*a.points, *a.lines)
    ]
    values = np.concatenate([part.reshape(-1) for part in drawn])
    absent = [float(error) for error in errors if not (np.abs(values - error) < 1e-6).any()]
    require(not absent, "every error is drawn", expected=absent)
    assert_close(len(results), 4, "regressors drawn")
