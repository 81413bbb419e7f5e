from collections import defaultdict
from contextlib import contextmanager
from time import perf_counter

import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib import pyplot as plt
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return np.asarray(self.preprocessor_.transform(X), dtype="float64")


def make_regressors(seed=0):
    inner = KFold(4, shuffle=True, random_state=seed)
    build = lambda regressor: make_pipeline(Features(), regressor)  # noqa: E731
    return {
        "linear": build(LinearRegression()),
        "ridge": build(RidgeCV(alphas=np.geomspace(1e-3, 1e4, 40))),
        "lasso": build(LassoCV(cv=inner, eps=1e-3, max_iter=20000, tol=1e-3)),
        "elastic_net": build(ElasticNetCV(cv=inner, l1_ratio=0.3, max_iter=20000, tol=1e-3)),
    }


def stopwatch():
    laps = defaultdict(list)

    @contextmanager
    def lap(name):
        start = perf_counter()
        yield
        laps[name].append(perf_counter() - start)

    return lap, laps


def compare_regressors(df, *, k=5, seed=0):
    y, errors = target(df), defaultdict(list)
    lap, laps = stopwatch()
    for rest, held_out in KFold(k, shuffle=True, random_state=seed).split(df):
        for name, regressor in make_regressors(seed).items():
            with lap(name):
                regressor.fit(df.iloc[rest], y.iloc[rest])
            errors[name].append(rmse(y.iloc[held_out], regressor.predict(df.iloc[held_out])))
    table = pd.DataFrame({
        "rmse_log_mean": {name: np.mean(e) for name, e in errors.items()},
        "rmse_log_std": {name: np.std(e, ddof=1) for name, e in errors.items()},
        "fit_seconds": {name: sum(times) for name, times in laps.items()},
    })
    return table.sort_values("rmse_log_mean")


def plot_comparison(results):
    figure, axis = plt.subplots(layout="constrained")
    axis.errorbar(results["rmse_log_mean"], range(len(results)), xerr=results["rmse_log_std"], fmt="o", capsize=4)
    axis.set_yticks(range(len(results)), labels=results.index)
    axis.invert_yaxis()
    axis.set(title="Regressors compared", xlabel="RMSE of log price", ylabel="regressor")
    return figure
