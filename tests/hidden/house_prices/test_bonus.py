"""Bonus: four regressors compared fairly, by experiments that a leak or a careless penalty would change.

Tasks 2 to 4 are played by the suite's stand-ins, so that a mistake there costs nothing here.
"""

import re
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, RidgeCV
from sklearn.model_selection import KFold, RepeatedKFold, cross_val_score

from grader.suite import Run, as_array, as_figure, as_frame, check, reference, require, require_columns

NAMES = ["linear", "ridge", "lasso", "elastic_net"]
PENALISED = NAMES[1:]


def compared(student, table: pd.DataFrame, name: str) -> pd.DataFrame:
    compare = lambda: student.bonus.compare_regressors(table, k=3, seed=2)  # noqa: E731
    return table_of(student.once(f"compare {name}", compare))


def table_of(compared: object) -> pd.DataFrame:
    """The table that compare_regressors must give."""
    got = as_frame(compared, "compare_regressors' result")
    require(
        sorted(map(str, got.index)) == sorted(NAMES),
        "there is one row a regressor",
        expected=NAMES,
        got=list(got.index),
    )
    require_columns(got, ["rmse_log_mean", "rmse_log_std", "fit_seconds"], "compare_regressors' result")
    return got


def require_four(student, noisy: pd.DataFrame) -> pd.DataFrame:
    """Among features that mean nothing any penalty tells: four regressors were fitted, not least squares four times."""
    got = compared(student, noisy, "noisy")
    means = as_array(got.loc[NAMES, "rmse_log_mean"], "rmse_log_mean")
    apart = bool((np.abs(means[1:] / means[0] - 1) > 1e-4).all())
    require(apart, "each penalty makes another regressor than least squares", got=dict(zip(NAMES, means, strict=True)))
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


@reference
def exact(run: Run) -> pd.DataFrame:
    """Houses whose log price is a weighted sum, and nothing else: of the four, least squares alone misses none."""
    X = run.rng("exact").normal(size=(40, 2))
    table = pd.DataFrame(X, columns=["LotArea", "GrLivArea"]).assign(SalePrice=np.expm1(12 + X @ [0.2, -0.1]))
    return table.set_index(pd.RangeIndex(1, len(X) + 1, name="Id"))


def require_errors(student, exact: pd.DataFrame) -> pd.DataFrame:
    """The scores are errors: that of least squares is none where there is no noise, but for float32's rounding."""
    got = compared(student, exact, "exact")
    linear = float(as_array(got.loc["linear", "rmse_log_mean"], "linear"))
    require(linear < 1e-3, "least squares finds a weighted sum without noise", expected="below 0.001", got=linear)
    return got


@check(
    title="compare_regressors gives the scores of four regressors",
    hint="index linear, ridge, lasso, elastic_net; columns rmse_log_mean, rmse_log_std, fit_seconds.",
)
def test_table(on_stand_ins, market, noisy):
    require_four(on_stand_ins, noisy)
    got = compared(on_stand_ins, market.table, "market")
    # between the noise, which no regressor can foresee, and the prices' own spread, which the mean leaves
    spread, means = float(np.log1p(market.table["SalePrice"]).std()), as_array(got["rmse_log_mean"], "rmse_log_mean")
    within = bool((means > 0.7 * market.noise).all() and (means < 1.2 * spread).all())
    require(within, "rmse_log_mean is an error of log prices", got=means)
    spreads = as_array(got["rmse_log_std"], "rmse_log_std")
    require(bool((spreads > 0).all() and (spreads < 0.1).all()), "rmse_log_std is the spread over folds", got=spreads)


@check(
    title="The scores are errors on held-out houses",
    hint="RMSE of the log price, for all four on the same folds: a KFold that shuffles without its seed draws others for "
    "each. An alpha left at 1 leaves Lasso nothing but the mean.",
)
def test_scores(on_stand_ins, market, noisy, rng, gauge):
    require_four(on_stand_ins, noisy)
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
def test_penalties_help(on_stand_ins, noisy, exact, ridge_on_noisy, gauge):
    require_errors(on_stand_ins, exact)
    means = compared(on_stand_ins, noisy, "noisy")["rmse_log_mean"]
    for name in PENALISED:
        ratio = float(as_array(means[name], name) / as_array(means["linear"], "linear"))
        gauge(ratio, f"{name} overfits less than least squares", at_most=0.9, unit=" of its error")
        best = float(as_array(means[name], name)) / ridge_on_noisy  # other folds and other grids move it by a twentieth
        gauge(best, f"{name}'s penalty is about the best one", at_most=1.35, unit=" times the best penalty's error")


@check(title="The best regressor comes first", hint="Sort by rmse_log_mean, ascending.")
def test_sorted(on_stand_ins, noisy, exact):
    first, got = require_errors(on_stand_ins, exact), require_four(on_stand_ins, noisy)
    for table in (first, got):
        means = as_array(table["rmse_log_mean"], "rmse_log_mean").tolist()
        require(means == sorted(means) and means[0] < means[-1], "the smallest error comes first", got=means)
    order = list(map(str, got.index))
    require(order[-1] == "linear", "among features that mean nothing least squares comes last", got=order)


@check(
    title="Preprocessing is fitted inside each fold",
    hint="Put the preprocessor and the regressor into one pipeline and score it on the houses held out; the spread is the "
    "standard deviation over the folds, not the variance.",
)
def test_fits_inside(on_stand_ins, market, noisy, rng, gauge):
    require_four(on_stand_ins, noisy)
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
    k, start = 3, time.perf_counter()
    got = table_of(on_stand_ins.bonus.compare_regressors(market.table, k=k, seed=2))
    elapsed = time.perf_counter() - start
    seconds = as_array(got["fit_seconds"], "fit_seconds")
    require(bool((seconds > 0).all()), "each took some time", got=seconds)
    # However slow the machine: a fit is part of the call, and k of them, were they side by side, are at most k calls.
    within = bool((seconds <= 1.1 * k * elapsed).all())
    require(within, "no fit takes longer than all of the comparison", expected=f"below {k * elapsed:.3g}", got=seconds)
    alike = np.ptp(seconds) < 1e-3 * seconds.max()  # no clock reads the same four times
    require(not alike, "each regressor's own fits are timed", got=seconds)


@check(
    title="plot_comparison shows each regressor's error",
    hint="A bar or a point for each, at its rmse_log_mean, labelled with its own name: the rows are sorted by their errors, "
    "a list of names written by hand is not.",
)
def test_comparison_plot(on_stand_ins, rng):
    errors = np.sort(rng.uniform(0.1, 0.3, 4)).round(4)
    results = pd.DataFrame(
        {"rmse_log_mean": errors, "rmse_log_std": errors / 7, "fit_seconds": [0.1, 0.2, 0.3, 0.4]},
        index=pd.Index(np.roll(NAMES[::-1], rng.integers(4))),  # any order but that in which they are listed
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
    wanted = dict(zip(results.index, errors, strict=True))
    shown = [reading for axis in figure.axes for reading in _labelled(axis, errors)]
    require(wanted in shown, "each error stands beside its regressor's name", expected=wanted, got=shown[:1])


def _labelled(axis, errors: np.ndarray) -> list[dict[str, float]]:
    """What an axis says of each regressor: its error, of bars or points that stand upright or lie.

    The names are those along the axis, in the order of their places; or else beside what is drawn, or in the legend, in
    the order of drawing.
    """
    bars = [(x + w / 2, y + h / 2, x + w, y + h) for drawn in axis.bars for x, y, w, h in drawn.values]
    marks = [*bars, *((x, y, x, y) for drawn in (*axis.points, *axis.lines) for x, y in drawn.values)]
    readings = []
    for place, end in ((0, 3), (1, 2)):
        drawn = [next((i for i, mark in enumerate(marks) if abs(mark[end] - error) < 1e-6), None) for error in errors]
        if None in drawn:
            continue
        by_place = np.argsort([marks[i][place] for i in drawn])
        lists = ((axis.ticks[place], by_place), (axis.texts, np.argsort(drawn)), (axis.legend, np.argsort(drawn)))
        whole = [(_names_in(labels), order) for labels, order in lists if sorted(_names_in(labels)) == sorted(NAMES)]
        readings += [dict(zip(names, errors[order], strict=True)) for names, order in whole[:1]]
    return readings


def _names_in(labels: Sequence[str]) -> list[str]:
    return [name for label in labels for name in NAMES if name in re.sub(r"[\s-]+", "_", label.lower())]
