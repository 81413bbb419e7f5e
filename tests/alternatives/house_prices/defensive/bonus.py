"""Bonus: four linear regressors."""

import logging
import time
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib.figure import Figure
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from tqdm.auto import tqdm

log = logging.getLogger(__name__)


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> "Features":
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    inner = KFold(n_splits=3, shuffle=True, random_state=seed)
    alphas = np.logspace(-4.5, 0.5, 26)
    return {
        "linear": make_pipeline(Features(), LinearRegression()),
        "ridge": make_pipeline(Features(), RidgeCV(alphas=np.logspace(-3, 5, 33), scoring="neg_mean_squared_error")),
        "lasso": make_pipeline(Features(), LassoCV(alphas=alphas, cv=inner, tol=1e-3)),
        "elastic_net": make_pipeline(Features(), ElasticNetCV(alphas=alphas, cv=inner, tol=1e-3, l1_ratio=0.4)),
    }


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    if "SalePrice" not in df.columns:
        raise ValueError("the table has no SalePrice")
    if not 2 <= k <= len(df):
        raise ValueError(f"{len(df)} houses cannot make {k} folds")
    folds = list(KFold(n_splits=k, shuffle=True, random_state=seed).split(np.zeros(len(df))))
    rows = {}
    for name in tqdm(list(make_regressors(seed)), desc="regressors", leave=False, disable=None):
        errors, seconds = np.full(k, np.nan), np.zeros(k)
        for i, (rest, held_out) in enumerate(folds):
            train_rows, val_rows = df.iloc[rest].copy(), df.iloc[held_out].copy()
            pipeline = make_regressors(seed)[name]
            start = time.perf_counter()
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", ConvergenceWarning)
                pipeline.fit(train_rows, target(train_rows))
            seconds[i] = time.perf_counter() - start
            if caught:
                log.debug("%s: %d warnings in fold %d", name, len(caught), i)
            errors[i] = rmse(target(val_rows), pipeline.predict(val_rows))
        rows[name] = [errors.mean(), errors.std(), seconds.mean()]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["rmse_log_mean", "rmse_log_std", "fit_seconds"])
    return table.sort_values("rmse_log_mean")


def plot_comparison(results: pd.DataFrame) -> Figure:
    needed = {"rmse_log_mean", "rmse_log_std"}
    if not needed <= set(results.columns):
        raise ValueError(f"columns are absent: {', '.join(sorted(needed - set(results.columns)))}")
    figure, axis = plt.subplots(figsize=(6, 4))
    axis.bar([str(name) for name in results.index], results["rmse_log_mean"], color="teal")
    axis.vlines(
        range(len(results)),
        results["rmse_log_mean"] - results["rmse_log_std"],
        results["rmse_log_mean"] + results["rmse_log_std"],
        color="black",
    )
    axis.set(title="Cross-validated regressors", xlabel="regressor", ylabel="RMSE of the log price")
    figure.tight_layout()
    return figure
