import csv
from pathlib import Path

import numpy as np
import pandas as pd
from helpers import COLUMNS, TARGET, annotate, numbers_of, panels


def load_data(path):
    with Path(path).open(newline="", encoding="utf-8") as file:
        header = next(csv.reader(file), [])
    absent = {"Id": 0, **dict.fromkeys(COLUMNS)}.keys() - set(header)
    if absent:
        raise ValueError("absent: " + ", ".join(sorted(absent)))
    return pd.read_csv(path, index_col="Id", na_values=["", "NA"], keep_default_na=False)


def summarize(df):
    numbers = numbers_of(df)
    summary = pd.DataFrame(index=df.columns)
    summary["dtype"] = [str(dtype) for dtype in df.dtypes]
    summary["missing"] = len(df) - df.count()
    summary["missing_pct"] = summary["missing"] / max(len(df), 1) * 100
    summary["unique"] = [df[name].nunique(dropna=True) for name in df]
    for name, values in {
        "mean": numbers.mean(),
        "std": numbers.std(ddof=1),
        "min": numbers.min(),
        "max": numbers.max(),
        "skew": numbers.skew(),
    }.items():
        summary[name] = pd.Series(values, dtype="float64").reindex(summary.index)
    return summary


def top_correlations(df, target=TARGET, k=10):
    numbers = numbers_of(df).dropna(subset=[target])
    varying = [name for name in numbers if name != target and numbers[name].nunique() > 1]
    r = numbers[varying].corrwith(numbers[target]) if numbers[target].nunique() > 1 else pd.Series(dtype="float64")
    r = r.dropna()
    return r.iloc[np.argsort(-r.abs().to_numpy(), kind="stable")[:k]]


def plot_target(df):
    figure, axes = panels(2)
    for axis, scale in zip(axes, (np.asarray, np.log1p)):
        values = scale(df[TARGET].astype("float64"))
        counts, edges = np.histogram(values[np.isfinite(values)], bins=24)
        axis.bar(edges[:-1], counts, width=np.diff(edges), align="edge")
    annotate(axes[0], "Sale prices", "price in dollars", "houses")
    annotate(axes[1], "Logarithm of the sale prices", "log(1 + price)", "houses")
    return figure


def plot_relationships(df, features):
    figure, axes = panels(len(features))
    for axis, feature in zip(axes, features):
        df.plot.scatter(x=feature, y=TARGET, ax=axis, s=6, alpha=0.5)
        annotate(axis, f"{feature} and price", feature, f"{TARGET} (dollars)")
    return figure
