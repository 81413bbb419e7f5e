"""Four regressors, in a table."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline

WEAK = {"max_iter": 5000, "tol": 1e-3}
REGRESSORS = {
    "linear": lambda tune: LinearRegression(),
    "ridge": lambda tune: tune(Ridge(), {"alpha": np.logspace(-2, 4, 19)}),
    "lasso": lambda tune: tune(Lasso(**WEAK), {"alpha": np.logspace(-4, 0, 13)}),
    "elastic_net": lambda tune: tune(ElasticNet(**WEAK), {"alpha": np.logspace(-4, 0, 13), "l1_ratio": [0.5]}),
}


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).astype("float64").values


def make_regressors(seed=0):
    def tune(regressor, grid):
        cv = KFold(4, shuffle=True, random_state=seed)
        return GridSearchCV(regressor, grid, scoring="neg_mean_squared_error", cv=cv)

    return {name: Pipeline([("features", Features()), ("regressor", make(tune))]) for name, make in REGRESSORS.items()}


def compare_regressors(df, *, k=5, seed=0):
    houses, prices = df.drop(columns="SalePrice"), target(df)
    table = {}
    for name in REGRESSORS:
        errors, seconds = {}, {}
        for fold, (known, new) in enumerate(KFold(k, shuffle=True, random_state=seed).split(houses)):
            regressor = make_regressors(seed)[name]
            start = time.perf_counter()
            regressor.fit(houses.iloc[known], prices.iloc[known])
            seconds[fold] = time.perf_counter() - start
            errors[fold] = rmse(prices.iloc[new], regressor.predict(houses.iloc[new]))
        errors, seconds = pd.Series(errors), pd.Series(seconds)
        table[name] = {"rmse_log_mean": errors.mean(), "rmse_log_std": errors.std(), "fit_seconds": seconds.sum()}
    return pd.DataFrame.from_dict(table, orient="index").sort_values("rmse_log_mean")


def plot_comparison(results):
    figure, axis = plt.subplots()
    results["rmse_log_mean"].plot.bar(yerr=results["rmse_log_std"], ax=axis, rot=0, capsize=4)
    axis.set(**{"title": "Four regressors compared", "xlabel": "regressor", "ylabel": "RMSE of log1p(price)"})
    return figure
