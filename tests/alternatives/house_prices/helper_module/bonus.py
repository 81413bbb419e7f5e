import numpy as np
import pandas as pd
from helpers import annotate, mean_and_spread, panels
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed=0):
    penalised = dict(cv=4, max_iter=5000, tol=1e-3, selection="random", random_state=seed)
    return {
        "linear": make_pipeline(Features(), LinearRegression()),
        "ridge": make_pipeline(Features(), RidgeCV(alphas=np.logspace(-2, 4, 25), cv=4)),
        "lasso": make_pipeline(Features(), LassoCV(**penalised)),
        "elastic_net": make_pipeline(Features(), ElasticNetCV(l1_ratio=[0.1, 0.5, 0.9], **penalised)),
    }


def compare_regressors(df, *, k=5, seed=0):
    y, folds = target(df), list(KFold(k, shuffle=True, random_state=seed).split(df))
    rows = {}
    for name, regressor in make_regressors(seed).items():
        result = cross_validate(regressor, df, y, cv=folds, scoring="neg_mean_squared_error", error_score="raise")
        errors = np.sqrt(-result["test_score"])
        rows[name] = mean_and_spread(errors) | {"fit_seconds": result["fit_time"].sum()}
    return pd.DataFrame(rows).T.sort_values("rmse_log_mean")


def plot_comparison(results):
    figure, (axis,) = panels(1, size=4.5)
    axis.scatter(results.index, results["rmse_log_mean"], s=60)
    axis.vlines(results.index, *(results["rmse_log_mean"] + sign * results["rmse_log_std"] for sign in (-1, 1)))
    axis.set_ylim(bottom=0)
    annotate(axis, "Which regressor?", "regressor", "RMSE (log price), mean and spread")
    return figure
