"""Regressors with their alphas from a grid search around the whole pipeline, preprocessor included."""

import numpy as np
import pandas as pd
import preprocess as P
from matplotlib.figure import Figure
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.linear_model import ElasticNetCV, LassoCV, LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, cross_validate
from sklearn.pipeline import Pipeline


class Encode(TransformerMixin, BaseEstimator):
    """Preprocessor for pipelines, in float64."""

    def fit(self, X, y=None):
        self.p_ = P.Preprocessor().fit(X)
        return self

    def transform(self, X):
        return np.asarray(self.p_.transform(X), np.float64)


def pipeline(regressor):
    return Pipeline([("x", Encode()), ("r", regressor)])


def compare_regressors(df, *, k=5, seed=0):
    mse = "neg_mean_squared_error"
    models = {
        "linear": pipeline(LinearRegression()),
        "ridge": GridSearchCV(pipeline(Ridge()), {"r__alpha": np.logspace(-2, 3, 6)}, cv=3, scoring=mse),
        "lasso": pipeline(LassoCV(alphas=np.logspace(-4, -0.5, 12), cv=3, tol=1e-2)),
        "elastic_net": pipeline(ElasticNetCV(alphas=np.logspace(-4, 0, 12), cv=3, tol=1e-2)),
    }
    folds = KFold(k, shuffle=True, random_state=seed)
    y = np.log1p(df["SalePrice"].to_numpy("float64"))
    runs = {name: cross_validate(m, df, y, cv=folds, scoring=mse) for name, m in models.items()}
    scores = {name: np.sqrt(-run["test_score"]) for name, run in runs.items()}
    table = {n: (s.mean(), s.std(), runs[n]["fit_time"].sum()) for n, s in scores.items()}
    columns = ["rmse_log_mean", "rmse_log_std", "fit_seconds"]
    return pd.DataFrame(table, index=columns).T.sort_values("rmse_log_mean")


def plot_comparison(results):
    ax = (fig := Figure(layout="constrained")).add_subplot(
        title="RMSE by regressor", xlabel="RMSE (log price)", ylabel="regressor"
    )
    ax.barh(list(results.index), results["rmse_log_mean"], xerr=results["rmse_log_std"], color="tab:green")
    ax.invert_yaxis()
    return fig
