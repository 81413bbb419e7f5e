"""Bonus: scikit-learn's linear models."""

import time
from dataclasses import dataclass, field

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib.figure import Figure
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold


class HouseRegressor(RegressorMixin, BaseEstimator):
    """A preprocessor and a line on its features, fitted together."""

    def __init__(self, line=None) -> None:
        self.line = line

    def fit(self, X: pd.DataFrame, y: pd.Series) -> "HouseRegressor":
        self.preprocessor_ = Preprocessor()
        self.line.fit(self.preprocessor_.fit_transform(X).to_numpy(float), np.asarray(y, float))
        return self

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        return self.line.predict(self.preprocessor_.transform(X).to_numpy(float))


def make_regressors(seed: int = 0) -> dict[str, HouseRegressor]:
    alphas = np.geomspace(3e-5, 1, 24)
    lines = {
        "linear": LinearRegression(),
        "ridge": RidgeCV(np.geomspace(1e-3, 1e4, 40)),
        "lasso": LassoCV(alphas=alphas, cv=3, max_iter=4000, tol=1e-3),
        "elastic_net": ElasticNetCV(alphas=alphas, cv=3, l1_ratio=[0.1, 0.5, 0.9], max_iter=4000, tol=1e-3),
    }
    return {name: HouseRegressor(line) for name, line in lines.items()}


@dataclass
class Record:
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        mean, std = np.mean(self.errors), np.std(self.errors, ddof=1)
        return {"rmse_log_mean": mean, "rmse_log_std": std, "fit_seconds": np.mean(self.seconds)}


class Stopwatch:
    def __enter__(self) -> "Stopwatch":
        self.start = time.perf_counter()
        return self

    def __exit__(self, *_) -> None:
        self.seconds = time.perf_counter() - self.start


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    records = {name: Record() for name in make_regressors()}
    for rest, held_out in KFold(k, shuffle=True, random_state=seed).split(df):
        for name, regressor in make_regressors(seed).items():
            with Stopwatch() as watch:
                regressor.fit(df.iloc[rest], target(df.iloc[rest]))
            records[name].seconds.append(watch.seconds)
            records[name].errors.append(rmse(target(df.iloc[held_out]), regressor.predict(df.iloc[held_out])))
    table = pd.DataFrame.from_dict({name: record.row() for name, record in records.items()}, orient="index")
    return table.sort_values("rmse_log_mean")


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure, axis = plt.subplots(figsize=(6, 3.5))
    axis.barh(results.index, results["rmse_log_mean"], xerr=results["rmse_log_std"], capsize=3)
    axis.invert_yaxis()  # the best on top
    axis.set(title="Regressors on the same folds", xlabel="RMSE of the log price", ylabel="regressor")
    figure.tight_layout()
    return figure
