"""Bonus: penalties."""

import time

import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib.figure import Figure
from optimize import make_folds
from preprocess import Preprocessor, target
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer


class HouseFeatures(FunctionTransformer):
    """The preprocessor as a step of a pipeline."""

    def fit(self, X: pd.DataFrame, y: object = None) -> "HouseFeatures":
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def fit_transform(self, X: pd.DataFrame, y: object = None) -> np.ndarray:
        return self.fit(X).transform(X)

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return self.preprocessor_.transform(X).to_numpy(dtype="float64")


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    quick = dict(alphas=25, eps=3e-4, cv=3, tol=1e-3, max_iter=3000, selection="random", random_state=seed)
    models = {
        "linear": LinearRegression(),
        "ridge": RidgeCV(alphas=[2.0**power for power in range(-8, 14)]),
        "lasso": LassoCV(**quick),
        "elastic_net": ElasticNetCV(**quick, l1_ratio=0.5),
    }
    return {name: Pipeline(steps=[("houses", HouseFeatures()), (name, model)]) for name, model in models.items()}


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    folds = make_folds(len(df), k, seed)
    table = {}
    for name in make_regressors(seed):
        errors, times = [], []
        for held_out in folds:
            train_rows = df.drop(columns="SalePrice").iloc[np.delete(np.arange(len(df)), held_out)]
            y = target(df)
            clock = time.perf_counter()
            fitted = make_regressors(seed)[name].fit(train_rows, np.delete(y.to_numpy(), held_out))
            times.append(time.perf_counter() - clock)
            errors.append(rmse(y.iloc[held_out], fitted.predict(df.iloc[held_out])))
        table[name] = {
            "rmse_log_mean": float(np.mean(errors)),
            "rmse_log_std": float(np.std(errors)),
            "fit_seconds": sum(times),
        }
    return pd.DataFrame(table).T.sort_values("rmse_log_mean")


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure = Figure(layout="constrained")
    axis = figure.subplots()
    bars = axis.bar(range(len(results)), results["rmse_log_mean"], yerr=results["rmse_log_std"])
    axis.bar_label(bars, fmt="%.3f", padding=3)
    axis.set_xticks(range(len(results)), labels=list(results.index), rotation=20)
    axis.set(title="RMSE by regressor", xlabel="regressor", ylabel="RMSE (log price)")
    return figure
