"""The whole project: look, train, evaluate, tune, compare, and write a submission for Kaggle.

    python main.py --data train.csv --test test.csv
    accelerate launch main.py --data train.csv --test test.csv

Without --data it runs on the small table of invented houses that comes with the assignment. Nothing here is to be
written; what is not written yet in the task files ends the run with the name of the task to do next.
"""

import argparse
import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from accelerate import Accelerator
from accelerate.utils import set_seed
from bonus import compare_regressors, plot_comparison
from evaluate import evaluate, plot_predictions, predict
from explore import COLUMNS, load_data, plot_relationships, plot_target, summarize, top_correlations
from matplotlib.figure import Figure
from optimize import BATCH_SIZE, best, search
from preprocess import TARGET, Preprocessor, split, target, to_price
from torch import nn
from tqdm import tqdm
from train import LinearRegression, make_loader, train

FIRST = {"epochs": 60, "lr": 0.003}  # settings of the first model, before any tuning
GRID = {"lr": [0.001, 0.003], "weight_decay": [0.0, 3.0, 10.0]}
FEW = ["OverallQual", "GrLivArea", "TotalBsmtSF", "GarageCars", "YearBuilt", "FullBath", "KitchenQual", "Neighborhood"]
AREAS = ["LotArea", "LotFrontage", "GrLivArea", "TotalBsmtSF", "1stFlrSF", "BsmtFinSF1", "BsmtUnfSF", "GarageArea"]


class Unusable(Exception):
    """A file that cannot be used; the text says which and why. Ends the run with exit code 2."""


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="Kaggle's train.csv (default: the table that comes with this project)")
    parser.add_argument("--test", type=Path, help="Kaggle's test.csv; with it, submission.csv is written")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for what is written (default: results)")
    parser.add_argument("--seed", type=int, default=0, help="of the split, the folds and the shuffling (default: 0)")
    return parser.parse_args()


def own_table() -> Path:
    """The table that comes with the project: `data/train.csv` beside this file, or the repository's fixture."""
    here = Path(__file__).resolve().parent
    places = [here / "data/train.csv", *(p / "fixtures/house_prices/train.csv" for p in here.parents)]
    for place in places:
        if place.exists():
            return place
    raise Unusable(f"expected a table at {places[0]}, found none; name one with --data.")


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
        raise Unusable(f"expected House Prices' columns in {path}: {' '.join(str(error).split())}") from None
    if priced and TARGET not in df:
        raise Unusable(f"expected the column {TARGET} in {path}, found none; is it Kaggle's test.csv?")
    if priced and not (pd.api.types.is_numeric_dtype(df[TARGET]) and (df[TARGET] > 0).all()):
        raise Unusable(f"expected a price above 0 in every row of {path}, found other values in {TARGET}.")
    if len(df) < (50 if priced else 1):
        raise Unusable(f"expected at least {50 if priced else 1} houses in {path}, found {len(df)}.")
    return df


def engineer(df: pd.DataFrame) -> pd.DataFrame:
    """Columns that help a straight line along, each from its own row alone; `df` is not changed.

    Logarithms, because a tenth more area is worth about as many percent of the price in a small house as in a big one;
    hinges that are 0 up to a limit, because beyond it more area is worth less; sums and ages.
    """
    new = {f"log {area}": np.log1p(df[area]) for area in AREAS}
    new["log TotalSF"] = np.log1p(df["GrLivArea"] + df["TotalBsmtSF"].fillna(0))
    new["GrLivArea beyond 4000"] = (df["GrLivArea"] - 4000).clip(lower=0)
    new["LotArea beyond 20000"] = (df["LotArea"] - 20000).clip(lower=0)
    new["OverallQual squared"] = df["OverallQual"] ** 2
    new["Age"] = df["YrSold"] - df["YearBuilt"]
    new["AgeRemod"] = df["YrSold"] - df["YearRemodAdd"]
    new["Baths"] = df["FullBath"] + df["BsmtFullBath"] + 0.5 * (df["HalfBath"] + df["BsmtHalfBath"])
    return df.assign(**new)


def fit(
    df: pd.DataFrame, features: list[str], accelerator: Accelerator, seed: int, **settings: float
) -> tuple[Preprocessor, nn.Module, list[float]]:
    """Preprocessor and model trained on all rows of `df`, and the training loss of each epoch."""
    preprocessor = Preprocessor().fit(df[features])
    X, y = preprocessor.transform(df), target(df)  # (n, n_features), (n,)
    model = LinearRegression(X.shape[1], bias_init=float(y.mean()))
    loader = make_loader(X, y, BATCH_SIZE // accelerator.num_processes, shuffle=True, seed=seed)
    return preprocessor, model, train(model, loader, accelerator, **settings)


def plain_loader(preprocessor: Preprocessor, df: pd.DataFrame):
    """The rows of `df` in order; where there is no price, 0 stands for its logarithm."""
    y = target(df) if TARGET in df else np.zeros(len(df))
    return make_loader(preprocessor.transform(df), y, BATCH_SIZE, shuffle=False)
