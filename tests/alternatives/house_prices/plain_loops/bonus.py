"""Four regressors, compared fold by fold."""

import random
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from preprocess import Preprocessor, target
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV

WEAK_TO_STRONG = [10.0**exponent for exponent in range(-3, 5)]


def new_regressor(name):
    if name == "linear":
        return LinearRegression()
    if name == "ridge":
        return RidgeCV(alphas=WEAK_TO_STRONG)
    if name == "lasso":
        return LassoCV(cv=4, eps=1e-3, max_iter=3000)
    return ElasticNetCV(cv=4, eps=1e-3, max_iter=3000, l1_ratio=[0.3, 0.7])


def compare_regressors(df, *, k=5, seed=0):
    positions = list(range(len(df)))
    random.Random(seed).shuffle(positions)
    rows = []
    for name in ["linear", "ridge", "lasso", "elastic_net"]:
        scores, seconds = [], 0.0
        for fold in range(k):
            val_df = df.iloc[positions[fold::k]]
            train_df = df.iloc[[p for i, p in enumerate(positions) if i % k != fold]]
            start = time.perf_counter()
            preprocessor = Preprocessor().fit(train_df)
            regressor = new_regressor(name)
            X_train = np.array(preprocessor.transform(train_df), dtype="float64")
            regressor.fit(X_train, np.array(target(train_df), dtype="float64"))
            seconds += time.perf_counter() - start
            X_val = np.array(preprocessor.transform(val_df), dtype="float64")
            scores.append(rmse(target(val_df), regressor.predict(X_val)))
        mean, std = np.mean(scores), np.std(scores, ddof=1)
        rows.append({"name": name, "rmse_log_mean": mean, "rmse_log_std": std, "fit_seconds": seconds})
    rows.sort(key=lambda row: row["rmse_log_mean"])
    return pd.DataFrame(rows).set_index("name")


def plot_comparison(results):
    fig, ax = plt.subplots()
    for i, name in enumerate(results.index):
        mean, std = results.loc[name, "rmse_log_mean"], results.loc[name, "rmse_log_std"]
        ax.errorbar([i], [mean], yerr=[std], fmt="o", capsize=5)
    ax.set_xticks(range(len(results)), list(results.index))
    ax.set_title("Which regressor is best?")
    ax.set_xlabel("regressor")
    ax.set_ylabel("RMSE of the log price")
    return fig
