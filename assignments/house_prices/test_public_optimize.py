"""Self-checks of task 5, optimize.py: `pytest -k optimize`. Tasks 2 to 4 are played by `asked`'s stand-ins."""

import numpy as np
import pandas as pd

from grader.suite import accelerator, as_float, as_frame, assert_close, check, require, require_columns, require_equal

LOG_PRICES = [11.0, 12.0, 12.0, 13.0]

FOUR = pd.DataFrame(
    {"GrLivArea": [900.0, 1200, 1500, 2600], "YrSold": [2006.0, 2007, 2008, 2009], "SalePrice": np.expm1(LOG_PRICES)},
    index=pd.Index([1, 2, 3, 4], name="Id"),
)


@check(
    title="cross_validate scores each fold by the houses that it holds out",
    hint="LinearRegression(…, bias_init=mean of the other folds' target), train, predict the held-out fold, rmse.",
)
def test_optimize_score(student, asked):
    settings = {"epochs": 7, "lr": 0.0, "weight_decay": 0.25}
    scores = student.optimize.cross_validate(FOUR, ["GrLivArea"], accelerator(), k=4, **settings)
    got = set(scores) if isinstance(scores, dict) else type(scores).__name__
    require_equal(got, {"rmse_log_mean", "rmse_log_std"}, "cross_validate returns its two scores")
    case = "log prices 11, 12, 12, 13; each predicted by the mean of the three others: errors 4/3, 0, 0, 4/3"
    assert_close(scores["rmse_log_mean"], 2 / 3, "rmse_log_mean", case=case, rtol=1e-4)
    std = as_float(scores["rmse_log_std"], "rmse_log_std")
    near = min(abs(std - 0.66667), abs(std - 0.76980)) < 1e-3
    require(near, "rmse_log_std is right", expected="0.6667 (or 0.7698, with n − 1)", got=std, case=case)
    passed = {name: asked.settings[0].get(name) for name in settings} if asked.settings else "train was not called"
    require_equal(passed, settings, "train gets the settings")


@check(
    title="The preprocessor is fitted anew on each fold's training houses and features",
    hint="Preprocessor().fit(rest[features]) inside the loop: nothing may be learnt from the houses held out.",
)
def test_optimize_folds(student, asked):
    student.optimize.cross_validate(FOUR, ["GrLivArea"], accelerator(), k=4, epochs=1)
    fits = sorted(sorted(df.index) for df in asked.fitted)
    wanted = [[1, 2, 3], [1, 2, 4], [1, 3, 4], [2, 3, 4]]
    require_equal(fits, wanted, "each fit sees three of the houses 1 to 4", "k=4")
    columns = {str(column) for df in asked.fitted for column in df.columns} - {"SalePrice"}
    require_equal(
        columns, {"GrLivArea"}, "fit sees the features that were asked for, and no other", "features=['GrLivArea']"
    )


@check(
    title="search tries every combination and puts the best first",
    hint="itertools.product over the feature sets and the grid's values; one dictionary a row; sort by rmse_log_mean.",
)
def test_optimize_search(student, asked):
    sets = {"both": ["GrLivArea", "YrSold"], "one": ["GrLivArea"]}
    table = student.optimize.search(FOUR, sets, {"lr": [0.5, 0.1]}, accelerator(), k=4)
    table = as_frame(table, "search's result")
    require_columns(table, ["feature_set", "lr", "rmse_log_mean", "rmse_log_std"], "search's result")
    rows = list(zip(table["lr"].astype(float), table["feature_set"].astype(str), strict=True))
    wanted = [(0.1, "both"), (0.1, "one"), (0.5, "both"), (0.5, "one")]
    require_equal(sorted(rows), wanted, "each combination has one row", "feature sets both, one; lr 0.5, 0.1")
    case = "the houses of the first check, each prediction off by lr: errors of 2/3 + lr/2"
    means = [0.716667, 0.716667, 0.916667, 0.916667]
    assert_close(table["rmse_log_mean"], means, "rmse_log_mean, best first,", case=case, rtol=1e-4)


@check(
    title="best names the settings with the smallest error",
    hint="The row of the smallest rmse_log_mean as a dictionary, without the two scores.",
)
def test_optimize_best(student):
    columns = {"feature_set": ["few", "all"], "lr": [0.1, 0.2]}
    results = pd.DataFrame(columns | {"rmse_log_mean": [0.15, 0.14], "rmse_log_std": [0.01, 0.02]})
    got = student.optimize.best(results)
    require(isinstance(got, dict), "best returns a dictionary", got=type(got).__name__)
    got = {name: got.get(name) for name in columns}
    require_equal(
        got, {"feature_set": "all", "lr": 0.2}, "the smallest error wins", "errors 0.15 (few, 0.1), 0.14 (all, 0.2)"
    )
