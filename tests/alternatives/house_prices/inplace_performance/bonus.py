"""Each fold is preprocessed once, for all four regressors."""

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
    def fit(self, X: pd.DataFrame, y=None) -> "Features":
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    alphas = np.geomspace(1e-4, 1.0, 24)
    cheap = {"cv": 5, "tol": 1e-3, "max_iter": 3000, "copy_X": False}
    return {
        "linear": make_pipeline(Features(), LinearRegression(copy_X=True)),
        "ridge": make_pipeline(Features(), RidgeCV(np.geomspace(1e-2, 1e4, 31))),
        "lasso": make_pipeline(Features(), LassoCV(alphas=alphas, **cheap)),
        "elastic_net": make_pipeline(Features(), ElasticNetCV(alphas=alphas, l1_ratio=0.7, **cheap)),
    }


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    names = list(make_regressors(seed))
    errors, seconds = np.empty((4, k)), np.empty((4, k))
    y = target(df).to_numpy("float64")
    for fold, (rest, held_out) in enumerate(KFold(k, shuffle=True, random_state=seed).split(y)):
        features = Features().fit(df.take(rest))
        X, X_new = features.transform(df.take(rest)), features.transform(df.take(held_out))
        for i, pipeline in enumerate(make_regressors(seed).values()):
            regressor = pipeline[-1]
            start = time.perf_counter()
            regressor.fit(X.copy(), y[rest])  # it may overwrite what it gets
            seconds[i, fold] = time.perf_counter() - start
            errors[i, fold] = rmse(y[held_out], regressor.predict(X_new))
    table = np.column_stack([errors.mean(axis=1), errors.std(axis=1), seconds.mean(axis=1)])
    order = np.argsort(table[:, 0])
    columns = ["rmse_log_mean", "rmse_log_std", "fit_seconds"]
    return pd.DataFrame(table[order], index=np.array(names, dtype=object)[order], columns=columns)


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(5, 4), layout="constrained")
    x = np.arange(len(results))
    axis.scatter(x, results["rmse_log_mean"].to_numpy(), marker="o", zorder=2)
    axis.errorbar(x, results["rmse_log_mean"].to_numpy(), results["rmse_log_std"].to_numpy(), fmt="none", zorder=1)
    axis.set_xticks(x, results.index.tolist())
    axis.set(title="RMSE over the folds", xlabel="regressor", ylabel="RMSE of the log price")
    return figure
