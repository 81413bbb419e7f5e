"""Pipelines of preprocessor and regressor, cross-validated by scikit-learn."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline


class Features(TransformerMixin, BaseEstimator):
    """The preprocessor as a step of a pipeline."""

    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed=0):
    inner = KFold(5, shuffle=True, random_state=seed)
    alphas = np.geomspace(1e-4, 1, 25)
    regressors = {
        "linear": LinearRegression(),
        "ridge": RidgeCV(np.geomspace(1e-3, 1e4, 30)),
        "lasso": LassoCV(alphas=alphas, cv=inner, max_iter=5000, tol=1e-3),
        "elastic_net": ElasticNetCV(alphas=alphas, l1_ratio=0.5, cv=inner, max_iter=5000, tol=1e-3),
    }
    return {name: make_pipeline(Features(), regressor) for name, regressor in regressors.items()}


def compare_regressors(df, *, k=5, seed=0):
    X, y = df.drop(columns="SalePrice"), target(df)
    folds = KFold(k, shuffle=True, random_state=seed)
    rows = {}
    for name, pipeline in make_regressors(seed).items():
        result = cross_validate(pipeline, X, y, cv=folds, scoring="neg_root_mean_squared_error", error_score="raise")
        errors = -result["test_score"]
        rows[name] = {
            "rmse_log_mean": errors.mean(),
            "rmse_log_std": errors.std(),
            "fit_seconds": result["fit_time"].mean(),
        }
    return pd.DataFrame.from_dict(rows, orient="index").sort_values("rmse_log_mean")


def plot_comparison(results):
    figure, axis = plt.subplots()
    axis.bar(results.index, results["rmse_log_mean"], yerr=results["rmse_log_std"], capsize=4)
    axis.set(title="Regressors", xlabel="regressor", ylabel="RMSE of the log price")
    return figure
