"""Bonus: what do penalties bring?"""

from time import perf_counter

import matplotlib.pyplot as plt
import pandas as pd
import torch
from evaluate import rmse
from matplotlib.figure import Figure
from optimize import make_folds
from preprocess import Preprocessor, target
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer


class Features(FunctionTransformer):
    def fit(self, X: pd.DataFrame, y: object = None) -> "Features":
        super().fit(X, y)
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame):
        return self.preprocessor_.transform(X).astype("float64").to_numpy()


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    strengths = torch.logspace(-4, 0, 21, dtype=torch.float64).numpy()
    common = {"alphas": strengths, "cv": 4, "tol": 2e-3, "max_iter": 2000}
    return {
        "linear": make_pipeline(Features(), LinearRegression()),
        "ridge": make_pipeline(Features(), RidgeCV(torch.logspace(-2, 4, 25, dtype=torch.float64).numpy())),
        "lasso": make_pipeline(Features(), LassoCV(**common)),
        "elastic_net": make_pipeline(Features(), ElasticNetCV(**common)),
    }


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    y = target(df)
    scores = {name: torch.zeros(k, dtype=torch.float64) for name in make_regressors()}
    seconds = dict.fromkeys(scores, 0.0)
    for i, held_out in enumerate(make_folds(len(df), k, seed)):
        rest = sorted(set(range(len(df))).difference(held_out))
        for name, regressor in make_regressors(seed).items():
            start = perf_counter()
            regressor.fit(df.iloc[rest], y.iloc[rest])
            seconds[name] += (perf_counter() - start) / k
            scores[name][i] = rmse(y.iloc[held_out], regressor.predict(df.iloc[held_out]))
    names = sorted(scores, key=lambda name: scores[name].mean().item())
    return pd.DataFrame(
        {
            "rmse_log_mean": [scores[name].mean().item() for name in names],
            "rmse_log_std": [scores[name].std(correction=0).item() for name in names],
            "fit_seconds": [seconds[name] for name in names],
        },
        index=names,
    )


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(constrained_layout=True)
    names = [str(name) for name in results.index]
    axis.bar(names, results["rmse_log_mean"], color="lightgrey", edgecolor="black")
    axis.errorbar(names, results["rmse_log_mean"], yerr=results["rmse_log_std"], fmt="none", color="black")
    axis.set(title="Cross-validated error", xlabel="regressor", ylabel="RMSE of log1p(SalePrice)")
    return figure
