import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from evaluate import rmse
from preprocess import Preprocessor, target
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer


class Features:
    """Our preprocessor in scikit-learn's clothes."""

    def fit(self, X, y=None):
        self.preprocessor = Preprocessor()
        self.preprocessor.fit(X)
        return self

    def transform(self, X):
        return self.preprocessor.transform(X)

    def fit_transform(self, X, y=None):
        return self.fit(X).transform(X)


def make_regressors(seed=0):
    alphas = np.logspace(-3.5, 0, 30)
    last = {
        "linear": LinearRegression(),
        "ridge": RidgeCV(alphas=np.logspace(-1, 3.5, 20), scoring="neg_mean_squared_error"),
        "lasso": LassoCV(alphas=alphas, cv=3, max_iter=3000, selection="cyclic"),
        "elastic_net": ElasticNetCV(alphas=alphas, cv=3, max_iter=3000, l1_ratio=0.5),
    }
    double = FunctionTransformer(np.asarray, kw_args={"dtype": "float64"})
    return {name: make_pipeline(Features(), double, regressor) for name, regressor in last.items()}


def compare_regressors(df, *, k=5, seed=0):
    folds = np.array_split(np.random.RandomState(seed).permutation(len(df)), k)
    y = target(df)
    rows = []
    for name in make_regressors(seed):
        errors, seconds = [], []
        for fold in folds:
            known = np.setdiff1d(np.arange(len(df)), fold)
            regressor = make_regressors(seed)[name]
            start = time.perf_counter()
            regressor.fit(df.iloc[known], y.iloc[known])
            seconds.append(time.perf_counter() - start)
            errors.append(rmse(y.iloc[fold], regressor.predict(df.iloc[fold])))
        rows.append((name, np.mean(errors), np.std(errors), np.mean(seconds)))
    table = pd.DataFrame(rows, columns=["regressor", "rmse_log_mean", "rmse_log_std", "fit_seconds"])
    return table.set_index("regressor").sort_values("rmse_log_mean")


def plot_comparison(results):
    figure = plt.figure(figsize=(6, 4))
    for place, (name, row) in enumerate(results.iterrows()):
        bars = plt.bar(place, row["rmse_log_mean"], yerr=row["rmse_log_std"], label=name)
        plt.bar_label(bars, fmt="%.3f", label_type="center")
    plt.xticks([])
    plt.title("Error of four regressors")
    plt.xlabel("regressors, the best on the left")
    plt.ylabel("RMSE of the log price")
    plt.legend(title="regressor")
    return figure
