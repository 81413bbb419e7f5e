import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from preprocess import Preprocessor, target
from scipy import linalg, optimize, stats
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).to_numpy("float64")


class Ridge(RegressorMixin, BaseEstimator):
    """Ridge regression whose alpha minimises the leave-one-out error of the rows it is fitted on."""

    def fit(self, X, y):
        X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        self.mean_, self.intercept_ = X.mean(axis=0), y.mean()
        U, s, Vt = linalg.svd(X - self.mean_, full_matrices=False)
        residual = y - self.intercept_
        projected = U.T @ residual

        def left_out(log_alpha):
            shrink = s**2 / (s**2 + np.exp(log_alpha))
            leverage = (U**2) @ shrink + 1 / len(y)
            return np.mean(((residual - U @ (shrink * projected)) / np.maximum(1 - leverage, 1e-9)) ** 2)

        best = optimize.minimize_scalar(left_out, bounds=(np.log(1e-3), np.log(1e5)), method="bounded")
        self.alpha_ = float(np.exp(best.x))
        self.coef_ = Vt.T @ (s / (s**2 + self.alpha_) * projected)
        return self

    def predict(self, X):
        return (np.asarray(X) - self.mean_) @ self.coef_ + self.intercept_


def make_regressors(seed=0):
    inner = KFold(3, shuffle=True, random_state=seed)
    alphas = stats.loguniform(1e-4, 1).ppf(np.linspace(0, 1, 25))
    return {
        "linear": make_pipeline(Features(), LinearRegression()),
        "ridge": make_pipeline(Features(), Ridge()),
        "lasso": make_pipeline(Features(), LassoCV(alphas=alphas, cv=inner, max_iter=4000, tol=1e-3)),
        "elastic_net": make_pipeline(Features(), ElasticNetCV(alphas=alphas, cv=inner, max_iter=4000, tol=1e-3)),
    }


def compare_regressors(df, *, k=5, seed=0):
    y = target(df)
    measured = {name: [] for name in make_regressors(seed)}
    for known, held_out in KFold(k, shuffle=True, random_state=seed).split(df):
        for name, regressor in make_regressors(seed).items():
            start = time.monotonic_ns()
            regressor.fit(df.iloc[known], y.iloc[known])
            seconds = (time.monotonic_ns() - start) / 1e9
            measured[name].append((rmse(y.iloc[held_out], regressor.predict(df.iloc[held_out])), seconds))
    table = pd.DataFrame(index=list(measured), columns=["rmse_log_mean", "rmse_log_std", "fit_seconds"], dtype=float)
    for name, pairs in measured.items():
        errors, seconds = np.transpose(pairs)
        table.loc[name] = stats.tmean(errors), stats.tstd(errors), seconds.mean()
    return table.sort_values("rmse_log_mean")


def plot_comparison(results):
    figure, axis = plt.subplots()
    axis.errorbar(results.index, results["rmse_log_mean"], results["rmse_log_std"], fmt="s", capsize=6)
    axis.margins(x=0.2)
    axis.set_title("RMSE by regressor")
    axis.set_xlabel("regressor")
    axis.set_ylabel("RMSE of log prices")
    return figure
