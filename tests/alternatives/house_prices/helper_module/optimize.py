import pandas as pd
from evaluate import predict, rmse
from helpers import mean_and_spread, over_folds
from preprocess import Preprocessor, target
from sklearn.model_selection import ParameterGrid
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    features = list(features)
    per_process = BATCH_SIZE // accelerator.num_processes

    def score(training, held_out):
        known, new = df.iloc[training], df.iloc[held_out]
        preprocessor = Preprocessor().fit(known[features])
        X, y = preprocessor.transform(known[features]), target(known)
        model = LinearRegression(X.shape[1], bias_init=float(y.mean()))
        batches = make_loader(X, y, per_process, True, seed=seed)
        train(model, batches, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay)
        asked = make_loader(preprocessor.transform(new[features]), target(new), per_process, False)
        return rmse(target(new), predict(model, asked, accelerator))

    return mean_and_spread(over_folds(len(df), k, seed, score))


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    choices = ParameterGrid({name: list(values) for name, values in grid.items()})
    rows = []
    for name, features in feature_sets.items():
        for choice in choices:
            settings = {setting: choice[setting] for setting in grid}
            scores = cross_validate(df, features, accelerator, k=k, seed=seed, **settings)
            rows.append([name, *settings.values(), scores["rmse_log_mean"], scores["rmse_log_std"]])
    table = pd.DataFrame(rows, columns=["feature_set", *grid, "rmse_log_mean", "rmse_log_std"])
    return table.sort_values("rmse_log_mean").reset_index(drop=True)


def best(results):
    winner = results.nsmallest(1, "rmse_log_mean").drop(columns=["rmse_log_mean", "rmse_log_std"])
    return {name: winner[name].tolist()[0] for name in winner}
