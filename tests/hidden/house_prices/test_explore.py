"""Task 1: what `load_data` reads, what the summaries say, what the figures show."""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
import scipy.stats

from grader.suite import (
    as_array,
    as_figure,
    as_float,
    as_frame,
    as_series,
    assert_close,
    check,
    file,
    require,
    require_columns,
)


def as_csv(table: pd.DataFrame) -> str:
    return table.to_csv(na_rep="NA")


def mixed_table(rng: np.random.Generator, n: int = 40) -> pd.DataFrame:
    """A small table of numbers and words with holes, unlike the course's data in every name."""
    area = rng.lognormal(3, 0.6, n).round(2)
    table = pd.DataFrame(
        {
            "Area": area,
            "Rooms": rng.integers(1, 9, n),
            "Colour": rng.choice(["red", "green", "blue"], n),
            "Depth": np.where(rng.random(n) < 0.3, np.nan, rng.normal(10, 3, n)),
            "Remark": pd.array(np.where(rng.random(n) < 0.6, None, "old"), dtype="str"),
        },
        index=pd.RangeIndex(500, 500 + n, name="Id"),
    )
    return table


@check(
    title="load_data gives every row and column of the file, indexed by Id",
    hint="Id becomes the index; all other columns stay, in the file's order.",
)
def test_rows_and_columns(student, houses):
    table = houses.train.iloc[:60].sample(frac=1, random_state=1)
    loaded = as_frame(student.explore.load_data(file("train.csv", as_csv(table))), "load_data's result")
    require(list(loaded.columns) == list(table.columns), "the columns are the file's, in its order, without Id")
    require(loaded.index.name == "Id", "the index is called Id", expected="Id", got=loaded.index.name)
    require(loaded.index.tolist() == table.index.tolist(), "rows keep the file's order and their Id")
    numbers = ["LotArea", "OverallQual", "GrLivArea", "SalePrice", "MSSubClass"]
    assert_close(loaded[numbers].to_numpy(), table[numbers].to_numpy(), "the numbers read")
    words = loaded["Neighborhood"].tolist()
    require(words == table["Neighborhood"].tolist(), "words are read as they stand", case="Neighborhood")


@check(
    title="NA and the empty cell are missing, the word None is a value",
    hint="pandas has its own list of words for missing; read_csv's keep_default_na and na_values decide.",
)
def test_missing_cells(student, houses):
    table = houses.train.iloc[:30].copy()
    text = table.astype({"MasVnrType": "object", "Alley": "object", "LotFrontage": "object"})
    text["MasVnrType"] = ["None", "BrkFace", "NA"] * 10
    text["Alley"] = ["NA", "Pave", ""] * 10
    text["LotFrontage"] = ["NA", "65", ""] * 10
    loaded = as_frame(student.explore.load_data(file("t.csv", as_csv(text))), "load_data's result")
    veneer = loaded["MasVnrType"].isna().tolist()
    require(veneer == [False, False, True] * 10, "only NA is missing in MasVnrType", case="None, BrkFace, NA")
    require(loaded["MasVnrType"].iloc[0] == "None", "None stays the word", got=loaded["MasVnrType"].iloc[0])
    for column in ("Alley", "LotFrontage"):
        holes = loaded[column].isna().tolist()
        require(holes == [True, False, True] * 10, "NA and the empty cell are missing", case=column)
    require(pd.api.types.is_numeric_dtype(loaded["LotFrontage"]), "a numeric column with holes stays numeric")


def require_read(student, table: pd.DataFrame) -> None:
    """A file in which nothing is amiss is read: who refuses every file has refused none."""
    loaded = as_frame(student.explore.load_data(file("t.csv", as_csv(table))), "load_data's result")
    require(len(loaded) == len(table), "every row is read", expected=len(table), got=len(loaded))
    numbers = ["LotArea", "OverallQual", "GrLivArea"]
    require_columns(loaded, numbers, "load_data's result")
    assert_close(loaded[numbers].to_numpy(), table[numbers].to_numpy(), "the numbers read")


@check(title="A path without a file raises FileNotFoundError", hint="Let pandas' own error through, or raise yours.")
def test_missing_file(student, houses):
    require_read(student, houses.train.iloc[:5])
    with student.raises(FileNotFoundError):
        student.explore.load_data("no/such/houses.csv")


@check(
    title="A file without the expected columns raises ValueError that names them",
    hint="Compare the columns found with the expected ones, Id too, and put all missing names into the message. Do so "
    "before Id becomes the index: set_index raises a KeyError.",
)
def test_wrong_columns(student, houses, rng):
    gone = rng.choice(["LotArea", "KitchenQual", "GarageCars", "YrSold", "Neighborhood"], 2, replace=False).tolist()
    require_read(student, houses.train.iloc[:5])
    whole = houses.train.iloc[:5].reset_index()
    for absent in (gone, ["Id"], ["Id", gone[0]]):
        text = whole.drop(columns=absent).to_csv(index=False, na_rep="NA")
        with student.raises(ValueError) as raised:
            student.explore.load_data(file("t.csv", text))
        unnamed = [name for name in absent if not re.search(rf"\b{name}\b", raised[0].text)]
        require(not unnamed, "the message names every missing column", expected=absent, got=raised[0].text)


@check(title="A file without SalePrice, as Kaggle's test.csv, is read", hint="SalePrice is what is to be predicted.")
def test_without_price(student, houses):
    table = houses.unlabelled.iloc[:20]
    require_read(student, table)
    loaded = as_frame(student.explore.load_data(file("test.csv", as_csv(table))), "the result")
    require("SalePrice" not in loaded.columns and len(loaded) == 20, "all 20 rows are read, without SalePrice")


def summary_of(student, table: pd.DataFrame) -> pd.DataFrame:
    """The summary, which must have a row for each column."""
    summary = as_frame(student.explore.summarize(table), "summarize's result")
    require(sorted(map(str, summary.index)) == sorted(table.columns), "there is one row a column, named by it")
    return summary


@check(
    title="summarize counts missing and distinct values of every column",
    hint="missing_pct runs from 0 to 100; a missing value is not one of the distinct ones.",
)
def test_summary_counts(student, rng):
    table = mixed_table(rng)
    summary = summary_of(student, table)
    require_columns(summary, ["dtype", "missing", "missing_pct", "unique"], "summarize's result")
    summary = summary.loc[table.columns]
    assert_close(summary["missing"], table.isna().sum(), "missing")
    assert_close(summary["missing_pct"], table.isna().mean() * 100, "missing_pct")
    assert_close(summary["unique"], [len(set(table[c].dropna())) for c in table], "unique")
    dtypes = [str(dtype) for dtype in summary["dtype"]]
    require(dtypes == [str(dtype) for dtype in table.dtypes], "dtype is the column's", got=dtypes)


@check(
    title="summarize describes numeric columns, and them alone",
    hint="std has ddof 1; a column of words gets NaN, not an error; missing values do not count.",
)
def test_summary_numbers(student, rng):
    table = mixed_table(rng)
    summary = summary_of(student, table)
    require_columns(summary, ["mean", "std", "min", "max", "skew"], "summarize's result")
    numeric = ["Area", "Rooms", "Depth"]
    present = [table[c].astype(float).dropna() for c in numeric]
    for name in ("mean", "std", "min", "max", "skew"):
        expected = [getattr(values, name)() for values in present]
        if name == "skew":  # of the population, as SciPy's default, or adjusted for the sample, as pandas'
            plain = [scipy.stats.skew(values) for values in present]
            expected = plain if np.allclose(as_array(summary.loc[numeric, name], name), plain) else expected
        assert_close(summary.loc[numeric, name], expected, name, rtol=1e-6)
    for name in ("mean", "std", "min", "max", "skew"):
        words = as_array(summary.loc[["Colour", "Remark"], name], f"{name} of words")
        require(bool(np.isnan(words).all()), f"{name} of a column of words is NaN", got=words.tolist())


@check(
    title="top_correlations ranks by strength and keeps the sign",
    hint="A strong negative relation comes before a weak positive one; the target is not its own feature.",
)
def test_correlations_ranked(student, rng):
    n = 200
    target = rng.normal(size=n)
    strengths = {"a": 0.9, "b": -0.7, "c": 0.4, "d": -0.2, "e": 0.05}
    columns = {name: s * target + np.sqrt(1 - s * s) * rng.normal(size=n) for name, s in strengths.items()}
    table = pd.DataFrame({**columns, "Town": rng.choice(["x", "y"], n), "Worth": target})
    table = table[rng.permutation(table.columns)]
    r = {name: float(np.corrcoef(table[name], table["Worth"])[0, 1]) for name in strengths}
    order = sorted(r, key=lambda name: -abs(r[name]))
    for k in (3, 5):
        top = as_series(student.explore.top_correlations(table, target="Worth", k=k), "top_correlations' result")
        require(
            list(top.index) == order[:k], "features come by |r|, largest first", expected=order[:k], got=list(top.index)
        )
        assert_close(top, [r[name] for name in order[:k]], "the correlations", rtol=1e-6)


@check(
    title="A correlation uses the rows where both values are present",
    hint="Do not fill holes, and do not drop a row because of another column's hole.",
)
def test_correlations_pairwise(student, rng):
    n = 120
    price = rng.lognormal(12, 0.4, n)
    table = pd.DataFrame({"u": price + rng.normal(0, 5e4, n), "v": -price + rng.normal(0, 9e4, n), "SalePrice": price})
    table.loc[rng.choice(n, 40, replace=False), "u"] = np.nan
    table.loc[rng.choice(n, 30, replace=False), "v"] = np.nan
    top = as_series(student.explore.top_correlations(table, k=2), "top_correlations' result")
    for name in ("u", "v"):
        both = table[[name, "SalePrice"]].dropna()
        expected = np.corrcoef(both[name], both["SalePrice"])[0, 1]
        require(name in top.index, "every numeric feature is ranked", expected=name, got=list(top.index))
        assert_close(as_float(top[name], "r"), expected, f"r of {name}", rtol=1e-6)


@check(
    title="plot_target shows the price and its logarithm, side by side",
    hint="Two histograms on two axes, each with a title and a label on the x axis. A bar is as high as there are houses "
    "from its left edge to its right.",
)
def test_target_histograms(student, houses):
    prices = houses.train["SalePrice"]
    figure = as_figure(student.explore.plot_target(houses.train), "plot_target's result", axes=2)
    drawn = [axis for axis in figure.axes if axis.has_data]
    require(all(axis.title and axis.xlabel for axis in drawn[:2]), "both axes have a title and a label")
    spans = [_span(axis) for axis in drawn]
    for name, values in (("SalePrice", prices), ("log1p(SalePrice)", np.log1p(prices))):
        wanted = (values.min(), values.max())
        slack = 0.08 * (wanted[1] - wanted[0])
        near = [abs(low - wanted[0]) <= slack and abs(high - wanted[1]) <= slack for low, high in spans]
        rule = f"one axis is a histogram of {name}"
        require(any(near), rule, expected=f"from {wanted[0]:.4g} to {wanted[1]:.4g}", got=spans)
        gaps = [_gap(axis, values.to_numpy(float)) for axis, fits in zip(drawn, near, strict=True) if fits]
        # exact for bars and their outlines; a curve through their middles, or a smooth one, is off by some hundredths
        require(min(gaps) <= 0.1, f"its bars tell how many houses there are of each {name}", got=min(gaps))


def _gap(axis, values: np.ndarray) -> float:
    """How far the share of the houses up to some price, as it is drawn, is from the share that there is, at most."""
    slack, gaps = 1e-6 * np.ptp(values), [np.inf]  # which bar a price on the edge of two belongs to is left open
    for edges, amounts in _readings(axis):
        low, high = (np.mean(values[:, None] <= edges + side * slack, axis=0) for side in (-1, 1))
        shares = np.cumsum(amounts) / max(amounts.sum(), 1e-12)
        gaps.append(float(np.abs(shares - np.clip(shares, low, high)).max()))
    return min(gaps)


def _readings(axis) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Edges along x, and how much is drawn up to each from the one before, in each way to read bars or a line."""
    if axis.bars:
        bars = np.vstack([drawn.values for drawn in axis.bars])
        left, _, width, height = bars[np.argsort(bars[:, 0], kind="stable")].T
        edges = np.append((left[:-1] + width[:-1] + left[1:]) / 2, left[-1] + width[-1])  # with some space between bars
        for aside in (0, -0.5, 0.5):  # a bar may stand on an edge of its own
            yield from ((edges + aside * width, amount) for amount in (height, height * width))
        return
    for drawn in (*axis.lines, *axis.points):
        x, y = drawn.values.T
        ahead = np.append(True, np.diff(x) >= 0)
        end = len(x) if ahead.all() else int(ahead.argmin())  # where a filled outline turns back along its ground
        x, y = x[:end], y[:end]
        yield x, np.append(0.0, np.diff(x) * (y[1:] + y[:-1]) / 2)


def _span(axis) -> tuple[float, float]:
    """Where a histogram's bars, or its outline, begin and end along x."""
    if axis.bars:
        bars = np.vstack([drawn.values for drawn in axis.bars])
        bars = bars[bars[:, 3] > 0]
        return (float(bars[:, 0].min()), float((bars[:, 0] + bars[:, 2]).max())) if len(bars) else (np.nan, np.nan)
    points = np.vstack([drawn.values for drawn in (*axis.lines, *axis.points)] or [np.full((1, 2), np.nan)])
    return float(np.nanmin(points[:, 0])), float(np.nanmax(points[:, 0]))


@check(
    title="plot_relationships scatters each feature against SalePrice",
    hint="One axis a feature, the feature along x and SalePrice along y, in the points as in the labels; both values "
    "of a point are one house's, so sort neither alone.",
)
def test_relationship_scatters(student, houses, rng):
    choice = ["GrLivArea", "OverallQual", "LotArea", "YearBuilt", "TotalBsmtSF"]
    features = rng.choice(choice, 3, replace=False).tolist()
    figure = as_figure(student.explore.plot_relationships(houses.train, features), "plot_relationships' result")
    for feature in features:
        axes = [axis for axis in figure.axes if feature in axis.xlabel]
        require(bool(axes), "an axis is labelled with the feature's name", expected=feature)
        require("SalePrice" in axes[0].ylabel, "the y label is SalePrice", got=axes[0].ylabel)
        clouds = [drawn.values for drawn in (*axes[0].points, *axes[0].lines)]
        require(bool(clouds), "the houses are drawn as points", case=feature)
        cloud = max(clouds, key=len)
        expected = houses.train[[feature, "SalePrice"]].to_numpy(float)
        require(len(cloud) == len(expected), "every house is one point", expected=len(expected), got=len(cloud))
        assert_close(_in_order(cloud), _in_order(expected), f"the points of {feature}", rtol=1e-6)


def _in_order(points: np.ndarray) -> np.ndarray:
    """The pairs sorted by x, then y: the order in which they were drawn is free, what belongs together is not."""
    return points[np.lexsort(points.T[::-1])]
