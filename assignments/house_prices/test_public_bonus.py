"""Self-checks of the bonus, bonus.py: `pytest -k bonus`. Tasks 2 to 4 are played by `asked`'s stand-ins."""

import numpy as np
import pandas as pd

from grader.suite import as_array, as_figure, as_float, as_frame, check, require, require_columns, require_equal

REGRESSORS = ["linear", "ridge", "lasso", "elastic_net"]


def exact() -> pd.DataFrame:
    """Thirty houses whose log price is exactly 12 + a/2 − b/4."""
    a, b = (part.ravel() for part in np.meshgrid(np.linspace(-1, 1, 6), np.linspace(-1, 1, 5)))
    return pd.DataFrame({"a": a, "b": b, "SalePrice": np.expm1(12 + a / 2 - b / 4)})


def compared(student) -> pd.DataFrame:
    """compare_regressors on those houses; its answer is computed once."""
    answer = student.once("comparison", lambda: student.bonus.compare_regressors(exact(), k=3))
    return as_frame(answer, "compare_regressors' result")


@check(
    title="compare_regressors has a row for each regressor, the best first",
    hint="Index linear, ridge, lasso, elastic_net; columns rmse_log_mean, rmse_log_std, fit_seconds; sort_values.",
)
def test_bonus_table(student, asked):
    table = compared(student)
    require_equal(sorted(map(str, table.index)), sorted(REGRESSORS), "there is a row for each regressor")
    require_columns(table, ["rmse_log_mean", "rmse_log_std", "fit_seconds"], "compare_regressors' result")
    means = as_array(table["rmse_log_mean"], "rmse_log_mean").tolist()
    require_equal(means, sorted(means), "the smallest error comes first")
    seconds = as_array(table["fit_seconds"], "fit_seconds")
    require(bool((seconds > 0).all()), "each fit took some time", expected="> 0", got=seconds.tolist())


@check(
    title="The errors are those of log prices",
    hint="Fit on target(train), compare with target(val): no dollars. The grid of alphas goes down to weak penalties.",
)
def test_bonus_scores(student, asked):
    means = compared(student)["rmse_log_mean"]
    for name in REGRESSORS:
        got, limit = as_float(means[name], name), 0.001 if name == "linear" else 0.1
        case = "log prices are exactly 12 + a/2 − b/4, from 11.25 to 12.75"
        require(got <= limit, f"{name} finds the relation", expected=f"an error ≤ {limit}", got=f"{got:.4g}", case=case)


@check(
    title="The preprocessor is fitted inside each fold",
    hint="make_regressors' pipelines begin with Features(): fit the whole pipeline on the fold's training rows.",
)
def test_bonus_folds(student, asked):
    student.bonus.compare_regressors(exact(), k=3)
    most = max((len(df) for df in asked.fitted), default=0)
    require(0 < most <= 20, "each fit sees two of three folds", expected="20 of 30 houses", got=f"{most} of 30 houses")


@check(
    title="plot_comparison shows each regressor's error",
    hint="axis.bar(results.index, results['rmse_log_mean'], yerr=…), a title and labels.",
)
def test_bonus_plot(student):
    means = [0.11, 0.12, 0.13, 0.14]
    columns = {"rmse_log_mean": means, "rmse_log_std": [0.01] * 4, "fit_seconds": [0.1] * 4}
    results = pd.DataFrame(columns, index=REGRESSORS[::-1])
    axis = as_figure(student.bonus.plot_comparison(results), "plot_comparison's result", axes=1).axes[0]
    shown = [value for drawn in (*axis.bars, *axis.points, *axis.lines) for value in drawn.values.ravel()]
    absent = [mean for mean in means if not np.isclose(shown, mean).any()]
    require(not absent, "every error is drawn", expected=means, got=f"all but {absent}")
    words = " ".join((*axis.ticks[0], *axis.ticks[1], *axis.texts, *axis.legend))
    unnamed = [name for name in REGRESSORS if name not in words]
    require(not unnamed, "every regressor is named", expected=REGRESSORS, got=f"all but {unnamed}")
