"""The invented houses: Kaggle's schema and what its NA means, reproducible, and worth reading correctly."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import RidgeCV

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "fixtures/house_prices"
REAL = ROOT.parent / "shared/real/house_prices"

spec = importlib.util.spec_from_file_location("house_prices_generate", FOLDER / "generate.py")
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)

GARAGE = ["GarageType", "GarageYrBlt", "GarageFinish", "GarageQual", "GarageCond"]
BASEMENT = ["BsmtQual", "BsmtCond", "BsmtExposure", "BsmtFinType1", "BsmtFinType2"]
QUALITY = {"Po": 1, "Fa": 2, "TA": 3, "Gd": 4, "Ex": 5}


def read(path: Path) -> pd.DataFrame:
    """A file as Kaggle means it: only NA is missing."""
    return pd.read_csv(path, index_col="Id", keep_default_na=False, na_values=["NA"])


@pytest.fixture(scope="module")
def houses() -> pd.DataFrame:
    return generate.make_table(2000, np.random.default_rng(0))


def test_committed_files_are_what_the_seed_gives(tmp_path):
    for name in ("train.csv", "test.csv"):
        pd.testing.assert_frame_equal(read(FOLDER / name), generate.draw_files()[name])
    command = [sys.executable, str(FOLDER / "generate.py")]
    assert subprocess.run([*command, "--check"]).returncode == 0
    assert subprocess.run([*command, "--out", str(tmp_path)]).returncode == 0
    for name in ("train.csv", "test.csv"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes()
    stale = subprocess.run([*command, "--check", "--out", str(tmp_path), "--seed", "1"], capture_output=True, text=True)
    assert stale.returncode == 1
    assert "train.csv" in stale.stdout


def test_shapes_and_ids():
    train, test = read(FOLDER / "train.csv"), read(FOLDER / "test.csv")
    assert train.shape == (400, 80)
    assert test.shape == (100, 79)
    assert list(train.columns) == [*test.columns, "SalePrice"]
    assert list(train.index) + list(test.index) == list(range(1, 501))


def test_equal_seeds_draw_equal_tables_and_options_leave_the_houses_alone():
    table, again, other = (generate.make_table(50, np.random.default_rng(seed)) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(table, again)
    assert not table.equals(other)
    unpriced = generate.make_table(50, np.random.default_rng(1), price=False)
    pd.testing.assert_frame_equal(unpriced, table.drop(columns="SalePrice"))
    whole = generate.make_table(50, np.random.default_rng(1), holes=False)
    assert whole[["LotFrontage", "Electrical", "MasVnrType", "MasVnrArea"]].notna().all(axis=None)
    known = table.notna()
    assert (whole.astype("object")[known].fillna(0) == table.astype("object")[known].fillna(0)).all(axis=None)
    assert len(generate.make_table(1, np.random.default_rng(0))) == 1


def test_na_means_none_consistently(houses):
    for words, sizes in (
        (GARAGE, ["GarageCars", "GarageArea"]),
        (BASEMENT, ["TotalBsmtSF", "BsmtFinSF1", "BsmtFinSF2", "BsmtUnfSF", "BsmtFullBath", "BsmtHalfBath"]),
        (["FireplaceQu"], ["Fireplaces"]),
        (["PoolQC"], ["PoolArea"]),
        (["MiscFeature"], ["MiscVal"]),
    ):
        none = houses[words[0]].isna()
        assert none.any()
        assert not none.all()
        assert (houses[words].isna().to_numpy() == none.to_numpy()[:, None]).all(), words
        assert ((houses[sizes[0]] == 0) == none).all(), sizes[0]
        assert (houses.loc[none, sizes] == 0).all(axis=None)
    bare = houses["MasVnrType"] == "None"
    assert (houses.loc[bare, "MasVnrArea"] == 0).all()
    assert (houses.loc[~bare & houses["MasVnrType"].notna(), "MasVnrArea"] > 0).all()


def test_sizes_and_years_add_up(houses):
    assert (houses["TotalBsmtSF"] == houses[["BsmtFinSF1", "BsmtFinSF2", "BsmtUnfSF"]].sum(axis=1)).all()
    assert (houses["GrLivArea"] == houses[["1stFlrSF", "2ndFlrSF", "LowQualFinSF"]].sum(axis=1)).all()
    assert (houses["YearBuilt"] <= houses["YrSold"]).all()
    assert (houses["YearRemodAdd"] >= houses["YearBuilt"]).all()
    assert (houses["YearRemodAdd"] <= houses["YrSold"]).all()
    assert (houses["GarageYrBlt"].dropna() >= houses["YearBuilt"][houses["GarageYrBlt"].notna()]).all()
    assert houses["MoSold"].between(1, 12).all()


def test_true_holes_are_where_kaggles_are(houses):
    means_none = [*GARAGE, *BASEMENT, "Alley", "FireplaceQu", "PoolQC", "Fence", "MiscFeature"]
    holes = houses.drop(columns=means_none).isna().sum()
    assert set(holes[holes > 0].index) == {"LotFrontage", "Electrical", "MasVnrType", "MasVnrArea"}
    assert 0.13 < holes["LotFrontage"] / len(houses) < 0.21
    assert holes["Electrical"] == 1
    assert houses["MasVnrType"].isna().equals(houses["MasVnrArea"].isna())
    test = read(FOLDER / "test.csv")
    for column in ("KitchenQual", "Functional", "MSZoning", "SaleType", "Exterior1st", "TotalBsmtSF", "GarageCars"):
        assert test[column].isna().sum() == 2, column
    hole = test["MasVnrArea"].isna()
    assert (hole & (test["MasVnrType"] == "None")).sum() == 1
    assert (hole & test["MasVnrType"].isin(["BrkFace", "Stone", "BrkCmn"])).sum() == 1


def test_some_words_are_seen_in_the_test_table_alone():
    train, test = read(FOLDER / "train.csv"), read(FOLDER / "test.csv")
    for column, word in generate.UNSEEN.items():
        assert (test[column] == word).any(), column
        assert not (train[column] == word).any(), column


def test_prices_and_lots_are_skewed_and_their_logarithms_are_not(houses):
    assert houses["LotArea"].skew() > 2
    assert houses["SalePrice"].skew() > 1
    assert abs(np.log(houses["SalePrice"]).skew()) < 0.3
    assert 100_000 < houses["SalePrice"].median() < 250_000


def encode(df: pd.DataFrame, mistake: str) -> pd.DataFrame:
    """A plain encoding of a whole table, right or with one usual mistake."""
    df = df.drop(columns="SalePrice").fillna({"LotFrontage": df["LotFrontage"].median(), "MasVnrArea": 0})
    for column in df.columns[df.isin(list(QUALITY)).any()]:
        ladder = dict(zip(sorted(QUALITY), range(5), strict=True)) if mistake == "alphabetical" else QUALITY
        rungs = df[column].map(ladder)
        df[column] = rungs.fillna(rungs.mode()[0] if mistake == "mode" else 0)
    if mistake == "mode":
        df = df.fillna(df.mode().iloc[0])
    if mistake == "no neighborhood":
        df = df.drop(columns="Neighborhood")
    if mistake != "codes":
        df["MSSubClass"] = df["MSSubClass"].astype("str")
    df["GarageYrBlt"] = df["GarageYrBlt"].fillna(df["YearBuilt"])
    encoded = pd.get_dummies(df, dtype="float64", dummy_na=mistake != "mode")
    return (encoded - encoded.mean()) / encoded.std().replace(0, 1)


def error(df: pd.DataFrame, mistake: str = "") -> float:
    """RMSE of the log price on the last 1000 houses of a ridge fitted on the first 400."""
    x, y = encode(df, mistake), np.log(df["SalePrice"])
    model = RidgeCV(np.logspace(0, 4, 13)).fit(x[:400], y[:400])
    return float(np.sqrt(np.mean((model.predict(x[-1000:]) - y[-1000:]) ** 2)))


@pytest.mark.parametrize("mistake", ["alphabetical", "mode", "no neighborhood", "codes"])
def test_usual_mistakes_cost(mistake):
    """Averaged over three tables: reading right ends between 0.11 and 0.15, each mistake above that."""
    tables = [generate.make_table(1400, np.random.default_rng(seed)) for seed in (0, 1, 2)]
    right, wrong = np.mean([error(df) for df in tables]), np.mean([error(df, mistake) for df in tables])
    assert 0.11 < right < 0.15
    assert wrong > right + 0.004, f"{right:.4f} {wrong:.4f}"


@pytest.mark.skipif(not REAL.exists(), reason=f"Kaggle's table is not at {REAL}")
def test_schema_and_words_are_kaggles(houses):
    """The same columns in the same order, of the same kind, and no word that Kaggle's tables do not have."""
    train, test = read(REAL / "train.csv"), read(REAL / "test.csv")
    assert list(houses.columns) == list(train.columns)
    unseen = {column: [generate.UNSEEN[column]] if column in generate.UNSEEN else [] for column in houses.columns}
    for column in houses.columns:
        numeric = pd.api.types.is_numeric_dtype(houses[column])
        assert numeric == pd.api.types.is_numeric_dtype(train[column]), column
        if not numeric or column == "MSSubClass":
            words = set(train[column].dropna()) | set(test[column].dropna())
            # A ladder's documented rungs are fine even where no house of Kaggle's stands on them.
            words |= set(QUALITY) if "TA" in words else set()
            assert {*houses[column].dropna(), *unseen[column]} <= words, column
