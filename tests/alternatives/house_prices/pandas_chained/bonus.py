"""Bonus: other regressors."""

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
    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> "Features":
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    inner = KFold(5, shuffle=True, random_state=seed)
    penalised = {"alphas": np.logspace(-4, 0, 25), "cv": inner, "max_iter": 5000, "tol": 1e-3}
    regressors = pd.Series(
        {
            "linear": LinearRegression(),
            "ridge": RidgeCV(alphas=np.logspace(-3, 4, 29)),
            "lasso": LassoCV(**penalised),
            "elastic_net": ElasticNetCV(l1_ratio=0.5, **penalised),
        }
    )
    return regressors.map(lambda regressor: make_pipeline(Features(), regressor)).to_dict()


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    runs = []
    for rest, held_out in KFold(k, shuffle=True, random_state=seed).split(df):
        rest, held_out = df.iloc[rest], df.iloc[held_out]
        for name, regressor in make_regressors(seed).items():
            start = time.perf_counter()
            regressor.fit(rest, target(rest))
            seconds = time.perf_counter() - start
            runs.append({"regressor": name, "seconds": seconds, "error": rmse(target(held_out), regressor.predict(held_out))})
    return (
        pd.DataFrame(runs)
        .groupby("regressor")
        .agg(rmse_log_mean=("error", "mean"), rmse_log_std=("error", "std"), fit_seconds=("seconds", "mean"))
        .sort_values("rmse_log_mean")
    )


def plot_comparison(results: pd.DataFrame) -> Figure:
    axis = results.plot.bar(
        y="rmse_log_mean", yerr="rmse_log_std", legend=False, rot=0, capsize=4, title="Regressors, cross-validated"
    )
    axis.set(xlabel="regressor", ylabel="RMSE of the log price")
    return axis.figure
