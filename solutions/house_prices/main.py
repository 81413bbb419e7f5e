"""The whole project: look, train, evaluate, tune, compare, and write a submission for Kaggle.

    python main.py --data train.csv --test test.csv
    accelerate launch main.py --data train.csv --test test.csv      on all GPUs
    ACCELERATE_USE_CPU=1 torchrun --nproc-per-node 2 main.py        two processes without a GPU

Without --data it runs on the small table of invented houses that comes with the project. Nothing here is to be written;
what is not written yet in the task files ends the run with the name of the task to do next.
"""

import argparse
import json
import sys
from itertools import product
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from bonus import compare_regressors, plot_comparison
from evaluate import evaluate, plot_predictions, predict
from explore import COLUMNS, load_data, plot_relationships, plot_target, summarize, top_correlations
from matplotlib.figure import Figure
from optimize import BATCH_SIZE, best, cross_validate, search
from preprocess import TARGET, Preprocessor, split, target, to_price
from torch import nn
from torch.utils.data import DataLoader
from train import LinearRegression, make_loader, train

from grader.page import Results, Unusable, conduct

SETTINGS = {"epochs": 60, "lr": 0.003}
DECAYS = [0.0, 3.0, 10.0, 30.0]  # values of the weight decay to try
FEW = ["OverallQual", "GrLivArea", "TotalBsmtSF", "GarageCars", "YearBuilt", "FullBath", "KitchenQual", "Neighborhood"]
# Sizes, and where hardly any house goes beyond: square feet, LotFrontage in feet
LIMITS = {"LotArea": 30000, "LotFrontage": 150, "GrLivArea": 3500, "TotalBsmtSF": 3000, "1stFlrSF": 3000}
LIMITS |= {"BsmtFinSF1": 2000, "BsmtUnfSF": 2000, "GarageArea": 1000}


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="Kaggle's train.csv (default: the project's own small table)")
    parser.add_argument("--test", type=Path, help="Kaggle's test.csv; with it, submission.csv is written")
    parser.add_argument(
        "--out", type=Path, default=Path("results"), help="folder for what is written (default: results)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the split, the folds and the order (default: 0)")
    return parser.parse_args()


def own_table() -> Path:
    """The table that comes with the project: `data/train.csv` beside this file, or the repository's fixture."""
    here = Path(__file__).resolve().parent
    places = [here / "data/train.csv", *(folder / "fixtures/house_prices/train.csv" for folder in here.parents)]
    for place in places:
        if place.exists():
            return place
    raise Unusable(f"expected the project's own table at {places[0]}, found none; name another with --data.")


def read(path: Path, *, priced: bool) -> pd.DataFrame:
    """The houses of one file.

    Raises:
        Unusable: no such file, not such a table, too few houses, or no prices where they are needed.
    """
    try:
        df = load_data(path)
    except FileNotFoundError:
        raise Unusable(f"expected a CSV file at {path}, found none.") from None
    except (ValueError, OSError) as error:
        raise Unusable(f"expected a table of House Prices in {path}: {' '.join(str(error).split())}") from None
    fewest = 50 if priced else 1
    if len(df) < fewest:
        raise Unusable(f"expected at least {fewest} houses in {path}, found {len(df)}.")
    if priced and TARGET not in df:
        raise Unusable(f"expected the column {TARGET} in {path}, found none; is it Kaggle's test.csv?")
    if priced and not (pd.api.types.is_numeric_dtype(df[TARGET]) and (df[TARGET] > 0).all()):
        raise Unusable(f"expected a price above 0 in every row of {path}, found another value in {TARGET}.")
    return df


def engineer(df: pd.DataFrame) -> pd.DataFrame:
    """`df` with more columns that help a straight line along, each made of its own row alone.

    Sizes stop at a limit, because one mansion must not tilt the line for everybody. Their logarithms come in, because a
    tenth more area is worth about as many percent of the price in a small house as in a big one. Products let quality
    count for more where there is more of it.
    """
    capped = df[list(LIMITS)].clip(upper=pd.Series(LIMITS), axis=1)
    size = np.log1p(capped["GrLivArea"] + capped["TotalBsmtSF"].fillna(0))
    new = {
        "log TotalSF": size,
        "OverallQual squared": df["OverallQual"] ** 2,
        "OverallQual × log TotalSF": df["OverallQual"] * size,
        "OverallQual × OverallCond": df["OverallQual"] * df["OverallCond"],
        "Age": df["YrSold"] - df["YearBuilt"],
        "AgeRemod": df["YrSold"] - df["YearRemodAdd"],
        "Baths": df["FullBath"] + df["BsmtFullBath"] + 0.5 * (df["HalfBath"] + df["BsmtHalfBath"]),
    }
    return pd.concat([df, capped.add_prefix("capped "), np.log1p(capped).add_prefix("log ")], axis=1).assign(**new)


def fit(df: pd.DataFrame, features: list[str], accelerator: Accelerator, seed: int, **settings: float):
    """A preprocessor and a model trained on all rows of `df`, and the training loss of each epoch."""
    preprocessor = Preprocessor().fit(df[features])
    X, y = preprocessor.transform(df), target(df)  # (n, n_features), (n,)
    model: nn.Module = LinearRegression(X.shape[1], bias_init=float(y.mean()))
    loader = make_loader(X, y, BATCH_SIZE // accelerator.num_processes, shuffle=True, seed=seed)
    return preprocessor, model, train(model, loader, accelerator, **settings)


def rows_in_order(preprocessor: Preprocessor, df: pd.DataFrame) -> DataLoader:
    """A loader of all houses of `df`; where there are no prices, zeros take their place."""
    y = target(df) if TARGET in df else np.zeros(len(df))
    return make_loader(preprocessor.transform(df), y, BATCH_SIZE, shuffle=False)


def plot_history(history: list[float]) -> Figure:
    """The training loss of each epoch."""
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    axis.plot(range(1, len(history) + 1), history, marker="o", markersize=3)
    axis.set(title="Training the first model", xlabel="epoch", ylabel="mean squared error (log price)", yscale="log")
    axis.grid(alpha=0.3, which="both")
    return figure


def plot_search(results: pd.DataFrame) -> Figure:
    """The cross-validated error over the weight decay, one line a feature set."""
    figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
    for name, rows in results.sort_values("weight_decay").groupby("feature_set"):
        axis.plot(rows["weight_decay"].map("{:g}".format), rows["rmse_log_mean"], marker="o", label=name)
    axis.set(title="Tuning by cross-validation", xlabel="weight decay", ylabel="RMSE (log price), mean of 5 folds")
    axis.grid(alpha=0.3)
    axis.legend(title="features", frameon=False)
    return figure


def look(df: pd.DataFrame, results: Results) -> None:
    """Task 1: what the table is like."""
    summary = summarize(df)
    related = top_correlations(df)
    results.note(f"{len(df):,} houses, {df.shape[1]} columns, {(summary['missing'] > 0).sum()} of them with NA.")
    results.note("Closest to the price: " + ", ".join(f"{name} {r:+.2f}" for name, r in related.head(5).items()) + ".")
    results.text("summary.csv", summary.to_csv())
    results.figure("1_price", plot_target(df), "What the houses cost, in dollars and as the logarithm to be predicted.")
    shown = plot_relationships(df, list(related.index[:6]))
    results.figure("2_relationships", shown, "The price over the six columns that go with it most closely.")


def tune(df: pd.DataFrame, results: Results, seed: int) -> tuple[list[str], dict, dict]:
    """Task 5: the columns and settings that cross-validate best on the training rows, and their scores."""
    engineered = [column for column in df.columns if column not in (TARGET, *LIMITS)]
    feature_sets = {"eight columns": FEW, "all columns": COLUMNS, "engineered": engineered}
    combinations = list(product(feature_sets, DECAYS))
    tables = []
    with results.progress("Tuning", len(combinations), "choices") as bar:
        for choice, decay in combinations:
            grid = {name: [value] for name, value in SETTINGS.items()} | {"weight_decay": [decay]}
            tables.append(search(df, {choice: feature_sets[choice]}, grid, results.accelerator, seed=seed))
            bar.update()
    table = pd.concat(tables).sort_values("rmse_log_mean", ignore_index=True)
    results.text("search.csv", table.to_csv(index=False))
    caption = "The error on houses that took no part in training, for each choice of columns and weight decay."
    results.figure("4_tuning", plot_search(table), caption)
    forms = {"feature_set": "{}", "weight_decay": "{:g}", "rmse_log_mean": "{:.4f}", "rmse_log_std": "{:.4f}"}
    columns = dict(zip(("columns", "weight decay", "RMSE log", "± std"), forms.values(), strict=True))
    results.table("All choices, the best first; mean and spread over 5 folds", columns, table[list(forms)].to_numpy())
    settings = best(table)
    results.say(f"Best: {settings}")
    results.facts("Chosen", settings)
    scores = table[["rmse_log_mean", "rmse_log_std"]].iloc[0].to_dict()
    return feature_sets[settings.pop("feature_set")], settings, scores


def compare(df: pd.DataFrame, results: Results, seed: int) -> dict:
    """The bonus, on the main process alone: scikit-learn knows nothing of the others."""
    if not results.accelerator.is_main_process:
        return {}
    try:
        table = compare_regressors(df, seed=seed)
        caption = "scikit-learn's linear models on the same columns and training rows, with the spread over 5 folds."
        results.figure("6_regressors", plot_comparison(table), caption)
    except NotImplementedError as error:
        results.note(f"Skipped, because not written yet. {error}")
        return {}
    return table.to_dict("index")


def show(metrics: dict, results: Results) -> None:
    """The tables at the end."""
    columns = {"model": "{}", "RMSE log": "{:.4f}", "RMSE": "${:,.0f}", "MAE": "${:,.0f}", "R²": "{:.3f}"}
    rows = [
        (f"{name} model, validation", *(scores[key] for key in ("rmse_log", "rmse", "mae", "r2")))
        for name, scores in metrics["validation"].items()
    ]
    results.table("On houses that were kept aside", columns, rows, aloud=True)
    folds = metrics["cross_validation"] | {f"{name} (scikit-learn)": row for name, row in metrics["regressors"].items()}
    columns = {"model": "{}", "RMSE log": "{:.4f}", "± std": "{:.4f}"}
    rows = [(name, scores["rmse_log_mean"], scores["rmse_log_std"]) for name, scores in folds.items()]
    results.table("Cross-validated, 5 folds", columns, rows, aloud=True)
    tuned = metrics["validation"]["tuned"]
    results.headline("RMSE of the log price", tuned["rmse_log"], "{:.4f}")
    results.headline("mean absolute error", tuned["mae"], "${:,.0f}")
    results.headline("R²", tuned["r2"], "{:.3f}")
    results.headline("houses", metrics["houses"], "{:,}")


def submit(test: pd.DataFrame, preprocessor: Preprocessor, model: nn.Module, results: Results) -> None:
    """Write the prices of Kaggle's test houses as Kaggle wants them."""
    prices = to_price(predict(model, rows_in_order(preprocessor, engineer(test)), results.accelerator))  # (n_test,)
    submission = pd.DataFrame({TARGET: prices.round(2)}, index=test.index.rename("Id"))
    results.text("submission.csv", submission.to_csv())


def run(args: argparse.Namespace, results: Results) -> None:
    """All tasks in their order."""
    accelerator, seed = results.accelerator, args.seed
    path = args.data or own_table()
    df = read(path, priced=True)
    test = read(args.test, priced=False) if args.test else None
    results.lead(f"Data: {path}{'' if args.data else ' (invented houses; name Kaggle’s table with --data)'}")
    results.say(f"Accelerate: {accelerator.device.type}, number of processes: {accelerator.num_processes}")
    with results.part("The table"):
        look(df, results)

    with results.part("The first model"):
        train_rows, val_rows = split(engineer(df), seed=seed)
        preprocessor, model, history = fit(train_rows, COLUMNS, accelerator, seed, **SETTINGS)
        validation = {"first": evaluate(model, rows_in_order(preprocessor, val_rows), accelerator)}
        results.figure("3_training", plot_history(history), "The error on the training rows, epoch by epoch.")

    # The validation rows take no part in tuning, so that they can still tell how good the tuned model is.
    with results.part("Tuning"):
        features, settings, scores = tune(train_rows, results, seed)

    with results.part("The tuned model"):
        preprocessor, model, _ = fit(train_rows, features, accelerator, seed, **settings)
        loader = rows_in_order(preprocessor, val_rows)
        validation["tuned"] = evaluate(model, loader, accelerator)
        prices = to_price(predict(model, loader, accelerator))  # (n_val,)
        caption = "The houses that were kept aside: predicted over actual prices. A perfect model has all on the line."
        results.figure("5_predictions", plot_predictions(val_rows[TARGET], prices), caption)
        folds = {"tuned model, training rows": scores}
        folds["tuned model, all rows"] = cross_validate(engineer(df), features, accelerator, seed=seed, **settings)

    with results.part("Measures"):
        metrics = {
            "data": path.name,
            "houses": len(df),
            "settings": settings,
            "features": features,
            "validation": validation,
            "cross_validation": folds,
            "regressors": compare(train_rows[[*features, TARGET]], results, seed),
        }
        results.text("metrics.json", json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")
        show(metrics, results)
    if test is not None:
        submit(test, *fit(engineer(df), features, accelerator, seed, **settings)[:2], results)
    results.finish(vars(args))


def main() -> int:
    """Run; returns the exit code: 0, 1 when a task is not written yet, 2 when a file cannot be used."""
    args = parse_arguments()
    plt.switch_backend("agg")
    torch.set_num_threads(1)  # batches as small as these only wait for each other on several
    accelerator = Accelerator()
    set_seed(args.seed)
    return conduct(run, args, accelerator, "House prices")


if __name__ == "__main__":
    sys.exit(main())
