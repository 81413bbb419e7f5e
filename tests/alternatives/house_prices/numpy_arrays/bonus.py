"""Bonus: four regressors of scikit-learn."""

from time import perf_counter

import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib.figure import Figure
from optimize import make_folds
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.pipeline import Pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X) -> np.ndarray:
        return np.asarray(self.preprocessor_.transform(X), dtype=np.float64)


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    alphas = 10.0 ** np.arange(-4.5, 0.6, 0.25)
    lines = {
        "linear": LinearRegression(),
        "ridge": RidgeCV(alphas=10.0 ** np.arange(-2, 4.1, 0.25), cv=5, scoring="neg_mean_squared_error"),
        "lasso": LassoCV(alphas=alphas, cv=4, selection="random", random_state=seed, max_iter=3000, tol=1e-3),
        "elastic_net": ElasticNetCV(
            l1_ratio=[0.2, 0.8], alphas=alphas, cv=4, selection="random", random_state=seed, max_iter=3000, tol=1e-3
        ),
    }
    return {name: Pipeline([("features", Features()), ("line", line)]) for name, line in lines.items()}


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    y, names = target(df).to_numpy("float64"), list(make_regressors(seed))
    errors, seconds = np.zeros((len(names), k)), np.zeros(len(names))
    for j, held_out in enumerate(make_folds(len(df), k, seed)):
        rest = np.setdiff1d(np.arange(len(df)), held_out)
        for i, pipeline in enumerate(make_regressors(seed).values()):
            began = perf_counter()
            pipeline.fit(df.iloc[rest], y[rest])
            seconds[i] += perf_counter() - began
            errors[i, j] = rmse(y[held_out], pipeline.predict(df.iloc[held_out]))
    order = errors.mean(axis=1).argsort()
    table = np.column_stack([errors.mean(axis=1), errors.std(axis=1), seconds])[order]
    return pd.DataFrame(table, index=np.array(names)[order], columns=["rmse_log_mean", "rmse_log_std", "fit_seconds"])


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure = Figure(figsize=(6, 4), layout="constrained")
    axis = figure.subplots()
    at = np.arange(len(results))
    axis.errorbar(at, results["rmse_log_mean"], yerr=results["rmse_log_std"], fmt="o", capsize=5)
    axis.set_xticks(at, results.index)
    axis.set(title="Four regressors", xlabel="regressor", ylabel="RMSE of the log price", xlim=(-0.5, len(results) - 0.5))
    return figure
