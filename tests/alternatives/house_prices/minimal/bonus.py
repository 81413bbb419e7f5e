import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from preprocess import Preprocessor, target
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, RidgeCV
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import make_pipeline


class Features:
    def fit(self, X, y=None):
        self.preprocessor_ = Preprocessor().fit(X)
        return self

    def transform(self, X):
        return self.preprocessor_.transform(X).to_numpy("float64")


def make_regressors(seed=0):
    alphas = np.logspace(-4, 0, 30)
    models = {
        "linear": LinearRegression(),
        "ridge": RidgeCV(np.logspace(-2, 4, 30)),
        "lasso": LassoCV(alphas=alphas, max_iter=5000),
        "elastic_net": ElasticNetCV(alphas=alphas, max_iter=5000),
    }
    return {name: make_pipeline(Features(), model) for name, model in models.items()}


def compare_regressors(df, *, k=5, seed=0):
    X, y, folds = df.drop(columns="SalePrice"), target(df), KFold(k, shuffle=True, random_state=seed)
    rows = {}
    for name, model in make_regressors(seed).items():
        cv = cross_validate(model, X, y, cv=folds, scoring="neg_root_mean_squared_error")
        errors = -cv["test_score"]
        rows[name] = [errors.mean(), errors.std(), cv["fit_time"].mean()]
    columns = ["rmse_log_mean", "rmse_log_std", "fit_seconds"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).sort_values("rmse_log_mean")


def plot_comparison(results):
    fig, ax = plt.subplots()
    ax.bar(results.index, results["rmse_log_mean"], yerr=results["rmse_log_std"])
    ax.set(title="Regressors", xlabel="regressor", ylabel="RMSE of the log price")
    return fig
