"""Bonus: pipelines in scikit-learn's own cross-validation."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> "Features":
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    folds = KFold(3, shuffle=True, random_state=seed)
    path = {"alphas": np.logspace(-4.3, -0.3, 20), "cv": folds, "max_iter": 3000, "tol": 1e-3}
    return {
        "linear": make_pipeline(Features(), LinearRegression()),
        "ridge": make_pipeline(Features(), RidgeCV(np.logspace(-2, 4, 31), cv=folds)),
        "lasso": make_pipeline(Features(), LassoCV(**path)),
        "elastic_net": make_pipeline(Features(), ElasticNetCV(l1_ratio=0.3, **path)),
    }


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    folds = KFold(k, shuffle=True, random_state=seed)
    table = pd.DataFrame(columns=["rmse_log_mean", "rmse_log_std", "fit_seconds"], dtype="float64")
    for name, pipeline in make_regressors(seed).items():
        runs = cross_validate(
            pipeline, df, target(df), cv=folds, scoring="neg_root_mean_squared_error", error_score="raise"
        )
        errors = -runs["test_score"]
        table.loc[name] = errors.mean(), errors.std(), runs["fit_time"].sum()
    return table.sort_values("rmse_log_mean")


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(layout="constrained")
    axis.bar(results.index, results["rmse_log_mean"], yerr=results["rmse_log_std"], color="C1", capsize=5)
    axis.set(title="Linear models", xlabel="model", ylabel="RMSE of the log price")
    return figure
