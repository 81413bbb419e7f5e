"""Self-checks of task 1, explore.py: `pytest -k explore`."""

import numpy as np
import pandas as pd

from grader.suite import (
    as_figure,
    as_frame,
    as_series,
    assert_close,
    check,
    file,
    require,
    require_columns,
    require_equal,
)

HOUSE = """
    MSSubClass=60 MSZoning=RL LotFrontage=70 LotArea=8800 Street=Pave Alley=NA LotShape=Reg LandContour=Lvl
    Utilities=AllPub LotConfig=Inside LandSlope=Gtl Neighborhood=Somerst Condition1=Norm Condition2=Norm BldgType=1Fam
    HouseStyle=2Story OverallQual=7 OverallCond=5 YearBuilt=2001 YearRemodAdd=2004 RoofStyle=Gable RoofMatl=CompShg
    Exterior1st=VinylSd Exterior2nd=VinylSd MasVnrType=BrkFace MasVnrArea=180 ExterQual=Gd ExterCond=TA
    Foundation=PConc BsmtQual=Gd BsmtCond=TA BsmtExposure=No BsmtFinType1=GLQ BsmtFinSF1=600 BsmtFinType2=Unf
    BsmtFinSF2=0 BsmtUnfSF=300 TotalBsmtSF=900 Heating=GasA HeatingQC=Ex CentralAir=Y Electrical=SBrkr 1stFlrSF=900
    2ndFlrSF=800 LowQualFinSF=0 GrLivArea=1700 BsmtFullBath=1 BsmtHalfBath=0 FullBath=2 HalfBath=1 BedroomAbvGr=3
    KitchenAbvGr=1 KitchenQual=Gd TotRmsAbvGrd=8 Functional=Typ Fireplaces=0 FireplaceQu=NA GarageType=Attchd
    GarageYrBlt=2001 GarageFinish=RFn GarageCars=2 GarageArea=500 GarageQual=TA GarageCond=TA PavedDrive=Y WoodDeckSF=0
    OpenPorchSF=40 EnclosedPorch=0 3SsnPorch=0 ScreenPorch=0 PoolArea=0 PoolQC=NA Fence=NA MiscFeature=NA MiscVal=0
    MoSold=5 YrSold=2008 SaleType=WD SaleCondition=Normal SalePrice=210000
"""


def houses_csv(n: int, without: str = "", **columns: list) -> str:
    """A file of n houses that differ in the given columns alone; their Ids are 101, 102, …"""
    pairs = (pair.split("=") for pair in HOUSE.split())
    table = {name: [value] * n for name, value in pairs if name != without}
    return pd.DataFrame(table | columns, index=pd.RangeIndex(101, 101 + n, name="Id")).to_csv()


@check(
    title="load_data reads every row and column, indexed by Id",
    hint="pd.read_csv, then set_index('Id'); nothing is dropped, renamed or moved.",
)
def test_explore_load(student):
    path = file("train.csv", houses_csv(3, LotArea=[9000, 7000, 8000]))
    df = as_frame(student.explore.load_data(path), "load_data's result")
    case = "a file with three houses: 101, 102 and 103"
    require_equal(df.shape, (3, 80), "all rows and columns are there, and Id is none of them", case)
    require_equal(list(df.index), [101, 102, 103], "the index is the Id", case)
    ends = [df.columns[0], df.columns[1], df.columns[-1]]
    require_equal(
        ends, ["MSSubClass", "MSZoning", "SalePrice"], "columns keep the file's order", "first, second and last"
    )
    assert_close(df["LotArea"], [9000, 7000, 8000], "LotArea", case=case)


@check(
    title="NA and the empty cell are missing, the word None is a value",
    hint="pandas would take None for missing too: keep_default_na=False, and na_values names what is missing.",
)
def test_explore_missing(student):
    cells = {"MasVnrType": ["None", "NA", "", "Stone"], "LotFrontage": ["60", "NA", "", "80"]}
    df = as_frame(student.explore.load_data(file("train.csv", houses_csv(4, **cells))), "load_data's result")
    for column, words in cells.items():
        missing = df[column].isna().tolist()
        require_equal(
            missing, [False, True, True, False], "the second and third cell are missing", f"{column}: {words}"
        )


@check(
    title="A wrong file is refused in words, Kaggle's test.csv is not",
    hint="FileNotFoundError comes by itself; compare df.columns with COLUMNS, and name what is absent in a ValueError.",
)
def test_explore_refuse(student):
    with student.raises(FileNotFoundError, case="a path without a file"):
        student.explore.load_data("there/is/no/such.csv")
    with student.raises(ValueError, case="a table without GarageCars") as raised:
        student.explore.load_data(file("train.csv", houses_csv(2, without="GarageCars")))
    text = raised[0].text
    require("GarageCars" in text, "the message names the absent column", expected="… GarageCars …", got=text)
    df = as_frame(student.explore.load_data(file("test.csv", houses_csv(2, without="SalePrice"))), "load_data's result")
    require_equal(df.shape, (2, 79), "a file without SalePrice is read")


@check(
    title="summarize describes every column in a row of its own",
    hint="isna().sum(), nunique(), and for the numeric columns mean, std, min, max, skew; the rest is NaN.",
)
def test_explore_summary(student):
    table = pd.DataFrame({"Rooms": [1.0, 2.0, 3.0, 4.0], "Colour": ["red", "red", None, "blue"]})
    summary = as_frame(student.explore.summarize(table), "summarize's result")
    require_equal(sorted(map(str, summary.index)), ["Colour", "Rooms"], "there is a row for each column")
    names = ["missing", "missing_pct", "unique", "mean", "std", "min", "max", "skew"]
    require_columns(summary, ["dtype", *names], "summarize's result")
    rows = {"Colour": [1, 25, 2] + [np.nan] * 5, "Rooms": [0, 0, 4, 2.5, 1.290994, 1, 4, 0]}
    for row, values in rows.items():
        for name, value in zip(names, values, strict=True):
            case = "Rooms: 1, 2, 3, 4; Colour: red, red, missing, blue"
            assert_close(summary.loc[row, name], value, f"{name} of {row}", case=case)


@check(
    title="top_correlations ranks by strength, whatever the sign",
    hint="Sort by |r|, answer r; drop the target itself; leave holes alone: corr skips them pair by pair.",
)
def test_explore_correlations(student):
    columns = {"Weak": [1.0, 3, 2, 4, 3], "Down": [9.0, 7, np.nan, 3, 1], "SalePrice": [1.0, 2, 3, 4, 5]}
    table = pd.DataFrame(columns).assign(Town=["a", "b", "a", "b", "a"])
    top = as_series(student.explore.top_correlations(table, k=2), "top_correlations' result")
    case = "Down falls by 2 when SalePrice rises by 1, and has a hole; Weak rises now and then"
    require_equal(list(top.index), ["Down", "Weak"], "the strongest comes first", case)
    assert_close(top, [-1.0, 0.6933752], "r", case=case)


@check(
    title="The figures show the price, its logarithm, and one scatter a feature",
    hint="plt.subplots(1, 2) and two hist with title and xlabel; then one labelled scatter for each feature.",
)
def test_explore_figures(student):
    prices = [90000, 120000, 150000, 210000, 400000]
    table = pd.DataFrame({"GrLivArea": [900, 1200, 1500, 2100, 2600], "OverallQual": [4, 5, 6, 7, 9]})
    table["SalePrice"] = prices
    for axis in as_figure(student.explore.plot_target(table), "plot_target's result", axes=2).axes[:2]:
        words = [axis.title, axis.xlabel]
        require(all(words), "both axes have a title and an x label", expected="a title and a label", got=words)
    features = ["OverallQual", "GrLivArea"]
    figure = as_figure(student.explore.plot_relationships(table, features), "plot_relationships' result", axes=2)
    labels = [(axis.xlabel, axis.ylabel) for axis in figure.axes[:2]]
    named = all(feature in x and "SalePrice" in y for feature, (x, y) in zip(features, labels, strict=True))
    wanted = [(feature, "SalePrice") for feature in features]
    require(named, "axes are labelled with the columns' names", expected=wanted, got=labels)
