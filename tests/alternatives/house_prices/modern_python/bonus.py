from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from evaluate import rmse
from matplotlib.figure import Figure
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X: pd.DataFrame, y: pd.Series | None = None) -> Features:
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        return self.preprocessor_.transform(X).to_numpy(dtype=float)


def make_regressors(seed: int = 0) -> dict[str, Pipeline]:
    cv = KFold(5, shuffle=True, random_state=seed)
    ridge = GridSearchCV(Ridge(), {"alpha": 10.0 ** np.arange(-3, 5, 0.5)}, cv=cv, scoring="neg_mean_squared_error")
    weights = np.logspace(-4, 0.5, 25)
    last_steps = {
        "linear": LinearRegression(),
        "ridge": ridge,
        "lasso": LassoCV(alphas=weights, cv=cv, max_iter=10_000, tol=1e-3),
        "elastic_net": ElasticNetCV(alphas=weights, l1_ratio=[0.2, 0.8], cv=cv, max_iter=10_000, tol=1e-3),
    }
    return {name: Pipeline([("features", Features()), (name, step)]) for name, step in last_steps.items()}


@dataclass(slots=True)
class Record:
    errors: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def row(self) -> dict[str, float]:
        return {
            "rmse_log_mean": float(np.mean(self.errors)),
            "rmse_log_std": float(np.std(self.errors)),
            "fit_seconds": float(np.mean(self.seconds)),
        }


def compare_regressors(df: pd.DataFrame, *, k: int = 5, seed: int = 0) -> pd.DataFrame:
    records = {name: Record() for name in make_regressors(seed)}
    for fitted, held_out in KFold(k, shuffle=True, random_state=seed).split(df):
        known, new = df.iloc[fitted], df.iloc[held_out]
        for name, regressor in make_regressors(seed).items():
            begin = time.perf_counter()
            regressor.fit(known, target(known))
            records[name].seconds.append(time.perf_counter() - begin)
            records[name].errors.append(rmse(target(new), regressor.predict(new)))
    table = pd.DataFrame.from_dict({name: record.row() for name, record in records.items()}, orient="index")
    return table.sort_values("rmse_log_mean")


def plot_comparison(results: pd.DataFrame) -> Figure:
    figure = Figure(layout="constrained")
    axis = figure.add_subplot(title="Four regressors", xlabel="RMSE of the log price", ylabel="regressor")
    axis.barh(results.index, results["rmse_log_mean"], xerr=results["rmse_log_std"], color="tab:olive", capsize=3)
    return figure
