"""Bonus: compare some regressors."""

import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed=0):
    # each one looks for its alpha on parts of the rows that it gets
    inner_folds = KFold(n_splits=4, shuffle=True, random_state=seed)
    ridge_alphas = {"alpha": [0.01, 0.1, 1, 3, 10, 30, 100, 300, 1000]}
    other_alphas = {"alpha": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1]}
    score = "neg_mean_squared_error"

    ridge = GridSearchCV(Ridge(), ridge_alphas, cv=inner_folds, scoring=score)
    lasso = GridSearchCV(Lasso(max_iter=2000, tol=0.001), other_alphas, cv=inner_folds, scoring=score)
    elastic_net = GridSearchCV(ElasticNet(max_iter=2000, tol=0.001), other_alphas, cv=inner_folds, scoring=score)

    regressors = {}
    regressors["linear"] = make_pipeline(Features(), LinearRegression())
    regressors["ridge"] = make_pipeline(Features(), ridge)
    regressors["lasso"] = make_pipeline(Features(), lasso)
    regressors["elastic_net"] = make_pipeline(Features(), elastic_net)
    return regressors


def compare_regressors(df, *, k=5, seed=0):
    errors = {"linear": [], "ridge": [], "lasso": [], "elastic_net": []}
    times = {"linear": [], "ridge": [], "lasso": [], "elastic_net": []}

    folds = KFold(n_splits=k, shuffle=True, random_state=seed)
    for train_positions, val_positions in folds.split(df):
        train_df = df.iloc[train_positions]
        val_df = df.iloc[val_positions]
        regressors = make_regressors(seed)
        for name in regressors:
            regressor = regressors[name]
            start = time.perf_counter()
            regressor.fit(train_df, target(train_df))
            end = time.perf_counter()
            times[name].append(end - start)
            predictions = regressor.predict(val_df)
            errors[name].append(rmse(target(val_df), predictions))

    table = pd.DataFrame(columns=["rmse_log_mean", "rmse_log_std", "fit_seconds"], dtype="float64")
    for name in errors:
        table.loc[name, "rmse_log_mean"] = np.mean(errors[name])
        table.loc[name, "rmse_log_std"] = np.std(errors[name])
        table.loc[name, "fit_seconds"] = np.sum(times[name])
    table = table.sort_values("rmse_log_mean")
    return table


def plot_comparison(results):
    names = list(results.index)
    means = list(results["rmse_log_mean"])
    stds = list(results["rmse_log_std"])

    fig, ax = plt.subplots(figsize=(7, 4))
    for i in range(len(names)):
        ax.bar(i, means[i], yerr=stds[i], capsize=4, label=names[i])
        ax.text(i, means[i] / 2, names[i], ha="center", color="white")
    ax.set_xticks(range(len(names)))
    ax.set_xticklabels(names)
    ax.set_title("Comparison of the regressors", loc="left")
    ax.set_xlabel("Regressor")
    ax.set_ylabel("RMSE (log price)")
    return fig
