"""Bonus · Four regressors of scikit-learn on the same folds.

Ridge, lasso and the elastic net add a penalty on the weights, and its strength alpha has to be chosen. Chosen on the
held-out fold it would flatter the score. It belongs to training: the training rows are parted once more to choose it.
"""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib.figure import Figure
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline


class Features(TransformerMixin, BaseEstimator):
    """Our Preprocessor as a step of a scikit-learn pipeline: fitted with the regressor, on the same rows. Given."""

    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> "Features":
        """Fit a new Preprocessor on the training rows; `y` is not used."""
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """(houses, features) as float64: unpenalised least squares is at the edge of what float32 can solve."""
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    """New pipelines from a table of houses to log prices: `linear`, `ridge`, `lasso` and `elastic_net`.

    The last three choose their alpha by themselves, on the rows they are fitted on.

    Args:
        seed: of whatever is random in choosing.
    """
    regressors = {"linear": make_pipeline(Features(), LinearRegression())}
    # Hint: RidgeCV, LassoCV and ElasticNetCV; ridge's alpha is not divided by the number of houses, the others' is.
    ### BEGIN SOLUTION
    alphas = np.logspace(-3, -0.5, 11)
    inner = KFold(5, shuffle=True, random_state=seed)
    penalised = {
        "ridge": RidgeCV(alphas=np.logspace(0, 4, 17)),
        "lasso": LassoCV(alphas=alphas, cv=inner, max_iter=5000),
        "elastic_net": ElasticNetCV(l1_ratio=0.5, alphas=alphas, cv=inner, max_iter=5000),
    }
    return regressors | {name: make_pipeline(Features(), model) for name, model in penalised.items()}
    ### END SOLUTION


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    """Cross-validate the four regressors on the same k folds; preprocessor and alpha are fitted inside each.

    Args:
        df: a table with `SalePrice`; it is not changed.
        k: number of folds.
        seed: of the folds.

    Returns:
        One row a regressor, the best first: the index is `linear`, `ridge`, `lasso`, `elastic_net`, the columns are
        `rmse_log_mean` and `rmse_log_std` over the folds (of the log price), and `fit_seconds`, the mean time of a fit.
    """
    ### BEGIN SOLUTION
    rows = {}
    for name in make_regressors():
        scores, seconds = [], []
        for fit_rows, held_out in KFold(k, shuffle=True, random_state=seed).split(df):
            train, val = df.iloc[fit_rows], df.iloc[held_out]
            regressor = make_regressors(seed)[name]
            start = time.perf_counter()
            regressor.fit(train, target(train).astype("float64"))
            seconds.append(time.perf_counter() - start)
            scores.append(rmse(target(val), regressor.predict(val)))
        rows[name] = {
            "rmse_log_mean": np.mean(scores),
            "rmse_log_std": np.std(scores),
            "fit_seconds": np.mean(seconds),
        }
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("rmse_log_mean")
    ### END SOLUTION


def plot_comparison(results: pd.DataFrame) -> Figure:
    """Plot `compare_regressors`' scores: one bar a regressor, with its spread over the folds.

    Args:
        results: as `compare_regressors` returns it.

    Returns:
        A figure with one axis: a bar of height `rmse_log_mean` for each row, in the rows' order and labelled with its
        name, an error bar of `rmse_log_std`, a title and labels on both axes.
    """
    ### BEGIN SOLUTION
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    bars = axis.bar(results.index, results["rmse_log_mean"], yerr=results["rmse_log_std"], capsize=5, width=0.6)
    axis.bar_label(bars, [f"{score:.3f}" for score in results["rmse_log_mean"]], label_type="center", color="white")
    axis.set(
        title="Cross-validated error of four regressors", xlabel="regressor", ylabel="RMSE of the log price (± 1 std)"
    )
    return figure
    ### END SOLUTION
