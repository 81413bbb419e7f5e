"""Bonus: the choice of alpha written out, on inner folds of the training rows."""

import math
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from preprocess import Preprocessor, target
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin
from sklearn.linear_model import LinearRegression, enet_path
from sklearn.pipeline import make_pipeline


class Features(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).to_numpy("float64")


def ridge_path(X, y, alphas):
    """Weights (features, alphas) of ||y - Xw||^2 + alpha ||w||^2."""
    U, s, V = np.linalg.svd(X, full_matrices=False)
    return np.stack([V.T @ (s / (s * s + a) * (U.T @ y)) for a in alphas], axis=1)


def elastic_path(l1_ratio):
    def path(X, y, alphas):
        return enet_path(X, y, l1_ratio=l1_ratio, alphas=alphas, max_iter=5000, tol=1e-3)[1]

    return path


class Penalised(RegressorMixin, BaseEstimator):
    def __init__(self, path, alphas, seed=0):
        self.path, self.alphas, self.seed = path, alphas, seed

    def fit(self, X, y):
        X, y = np.asarray(X), np.asarray(y, dtype="float64")
        n = len(y)
        fold_of = np.random.default_rng(self.seed).permutation(n) % min(4, n)
        squares = np.zeros(len(self.alphas))
        for fold in set(fold_of):
            a, b = fold_of != fold, fold_of == fold
            mx, my = X[a].mean(axis=0), y[a].mean()
            w = self.path(X[a] - mx, y[a] - my, self.alphas)
            squares += ((my + (X[b] - mx) @ w - y[b][:, None]) ** 2).sum(axis=0)
        self.best_ = int(squares.argmin())
        self.mx, self.my = X.mean(axis=0), y.mean()
        self.w = self.path(X - self.mx, y - self.my, self.alphas)[:, self.best_]
        return self

    def predict(self, X):
        return (X - self.mx) @ self.w + self.my


def make_regressors(seed=0):
    weak_to_strong = 10.0 ** np.arange(-4, 0.6, 0.2)
    strong_first = weak_to_strong[::-1].copy()  # the order in which scikit-learn walks
    regressors = {
        "linear": LinearRegression(),
        "ridge": Penalised(ridge_path, 10.0 ** np.arange(-2, 4.1, 0.25), seed),
        "lasso": Penalised(elastic_path(1.0), strong_first, seed),
        "elastic_net": Penalised(elastic_path(0.5), strong_first, seed),
    }
    return {name: make_pipeline(Features(), regressor) for name, regressor in regressors.items()}


def compare_regressors(df, *, k=5, seed=0):
    n = len(df)
    order = np.argsort(np.random.default_rng(seed).random(n))
    y = target(df)
    table = {}
    for name in ("linear", "ridge", "lasso", "elastic_net"):
        errors, seconds = [], 0.0
        for fold in range(k):
            held_out, rest = order[fold::k], np.delete(order, np.s_[fold::k])
            regressor = make_regressors(seed)[name]
            before = time.perf_counter()
            regressor.fit(df.iloc[rest], y.iloc[rest])
            seconds += time.perf_counter() - before
            errors.append(rmse(y.iloc[held_out], regressor.predict(df.iloc[held_out])))
        mean = sum(errors) / k
        std = math.sqrt(sum((e - mean) ** 2 for e in errors) / k)
        table[name] = {"rmse_log_mean": mean, "rmse_log_std": std, "fit_seconds": seconds / k}
    names = sorted(table, key=lambda name: table[name]["rmse_log_mean"])
    return pd.DataFrame([table[name] for name in names], index=names)


def plot_comparison(results):
    figure, axis = plt.subplots(figsize=(7, 4))
    for place, (name, mean, std) in enumerate(zip(results.index, results["rmse_log_mean"], results["rmse_log_std"])):
        axis.plot([place], [mean], "D", color="C1")
        axis.plot([place, place], [mean - std, mean + std], color="C1")
        axis.annotate(name, (place, mean), xytext=(8, 0), textcoords="offset points")
    axis.set_xlim(-0.5, len(results))
    axis.set_xticks([])
    axis.set(title="Errors of the regressors", xlabel="regressor", ylabel="RMSE (log price)")
    return figure
