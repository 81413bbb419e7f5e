"""Task 5: find good features and settings."""

import random
import statistics

import pandas as pd
from evaluate import predict, rmse
from preprocess import Preprocessor, target
from train import LinearRegression, make_loader, train

BATCH_SIZE = 256


def cross_validate(df, features, accelerator, *, k=5, seed=0, epochs=60, lr=0.01, weight_decay=0.0):
    # deal the shuffled houses out to the folds like cards
    positions = list(range(len(df)))
    random.Random(seed).shuffle(positions)
    folds = []
    for i in range(k):
        folds.append(positions[i::k])

    scores = []
    for i in range(k):
        train_positions = []
        for j in range(k):
            if j != i:
                train_positions = train_positions + folds[j]
        train_df = df.iloc[train_positions]
        val_df = df.iloc[folds[i]]

        # everything is learnt from train_df only
        preprocessor = Preprocessor()
        preprocessor.fit(train_df[features])
        X_train = preprocessor.transform(train_df)
        y_train = target(train_df)
        X_val = preprocessor.transform(val_df)
        y_val = target(val_df)

        n_features = X_train.shape[1]
        mean_of_targets = float(y_train.mean())
        model = LinearRegression(n_features, bias_init=mean_of_targets)

        train_loader = make_loader(X_train, y_train, batch_size=BATCH_SIZE, shuffle=True, seed=seed + i)
        train(model, train_loader, accelerator, epochs=epochs, lr=lr, weight_decay=weight_decay, optimizer="adamw")

        val_loader = make_loader(X_val, y_val, batch_size=BATCH_SIZE, shuffle=False)
        predictions = predict(model, val_loader, accelerator)
        score = rmse(y_val, predictions)
        scores.append(score)

    result = {}
    result["rmse_log_mean"] = statistics.mean(scores)
    result["rmse_log_std"] = statistics.stdev(scores)
    return result


def all_combinations(grid):
    """Every way to take one value of each setting, as a list of dictionaries."""
    combinations = [{}]
    for setting in grid:
        longer = []
        for combination in combinations:
            for value in grid[setting]:
                new = dict(combination)
                new[setting] = value
                longer.append(new)
        combinations = longer
    return combinations


def search(df, feature_sets, grid, accelerator, *, k=5, seed=0):
    rows = []
    for name in feature_sets:
        for settings in all_combinations(grid):
            scores = cross_validate(df, feature_sets[name], accelerator, k=k, seed=seed, **settings)
            row = {"feature_set": name}
            for setting in settings:
                row[setting] = settings[setting]
            row["rmse_log_mean"] = scores["rmse_log_mean"]
            row["rmse_log_std"] = scores["rmse_log_std"]
            rows.append(row)
    table = pd.DataFrame(rows)
    table = table.sort_values("rmse_log_mean")
    table = table.reset_index(drop=True)
    return table


def best(results):
    best_row = None
    for row in results.to_dict("records"):
        if best_row is None or row["rmse_log_mean"] < best_row["rmse_log_mean"]:
            best_row = row
    settings = {}
    for name in best_row:
        if name != "rmse_log_mean" and name != "rmse_log_std":
            settings[name] = best_row[name]
    return settings
