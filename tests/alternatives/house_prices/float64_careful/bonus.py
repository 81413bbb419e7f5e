"""Bonus: least squares and three penalties."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from helpers import float64
from matplotlib.figure import Figure
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline

NAMES = ("linear", "ridge", "lasso", "elastic_net")


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X: pd.DataFrame, y: object = None) -> "Features":
        self.preprocessor_ = Preprocessor()
        self.preprocessor_.fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return float64(self.preprocessor_.transform(X))


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    strong = np.geomspace(0.01, 10_000.0, 37)
    weak = np.geomspace(1e-4, 0.5, 22)
    inner = KFold(4, shuffle=True, random_state=seed + 1)
    lines = (
        LinearRegression(),
        RidgeCV(alphas=strong, cv=inner),
        LassoCV(alphas=weak, cv=inner, tol=1e-3, max_iter=3000),
        ElasticNetCV(alphas=weak, l1_ratio=0.7, cv=inner, tol=1e-3, max_iter=3000),
    )
    return {name: make_pipeline(Features(), line) for name, line in zip(NAMES, lines, strict=True)}


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    order = np.random.default_rng(seed).permutation(len(df))
    rows = []
    for name in NAMES:
        errors, seconds = [], 0.0
        for i in range(k):
            held_out = df.iloc[np.sort(order[i::k])]
            rest = df.iloc[np.sort(np.delete(order, np.s_[i::k]))]
            regressor = make_regressors(seed)[name]
            y = target(rest).astype("float64")
            start = time.perf_counter()
            regressor.fit(rest, y)
            seconds += time.perf_counter() - start
            errors.append(rmse(target(held_out), regressor.predict(held_out)))
        rows.append((np.mean(errors), np.std(errors, ddof=1), seconds / k))
    table = pd.DataFrame(rows, index=list(NAMES), columns=["rmse_log_mean", "rmse_log_std", "fit_seconds"])
    return table.loc[table["rmse_log_mean"].sort_values().index]


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, row in results.iterrows():
        axis.errorbar([name], [row["rmse_log_mean"]], yerr=[row["rmse_log_std"]], marker="s", capsize=4, color="C0")
    axis.margins(x=0.2)
    axis.set(title="Error of each regressor", xlabel="regressor", ylabel="RMSE of the log price")
    return figure
