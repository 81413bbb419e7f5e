"""Tasks 1 and 2 of project 1's reference solution, against numpy, pandas, scikit-learn and what the cells say."""

import house_prices_solved as shared
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FIXTURE, REAL, needs_real_data = shared.FIXTURE, shared.REAL, shared.needs_real_data
solved, houses, unpriced, close_figures = shared.solved, shared.houses, shared.unpriced, shared.close_figures


# Task 1 ---------------------------------------------------------------------------------------------------------------


def test_load_keeps_the_word_none_and_takes_na_and_empty_cells_for_missing(solved, houses, tmp_path):
    text = (FIXTURE / "train.csv").read_text()
    assert (houses["MasVnrType"] == "None").sum() == text.count(",None,") > 0
    assert houses["Alley"].isna().sum() == sum(row.split(",")[6] == "NA" for row in text.splitlines()[1:])
    assert list(houses.columns) == text.splitlines()[0].split(",")[1:]
    assert houses.index.name == "Id"
    lines = text.splitlines()[:3]
    lines[1] = lines[1].replace(",RL,", ",,", 1)
    (tmp_path / "holes.csv").write_text("\n".join(lines))
    assert solved.explore.load_data(tmp_path / "holes.csv")["MSZoning"].isna().tolist() == [True, False]


def test_load_names_what_is_missing(solved, houses, tmp_path):
    with pytest.raises(FileNotFoundError):
        solved.explore.load_data(tmp_path / "absent.csv")
    houses.drop(columns=["GrLivArea", "PoolQC"]).to_csv(tmp_path / "short.csv")
    with pytest.raises(ValueError, match=r"GrLivArea, PoolQC"):
        solved.explore.load_data(tmp_path / "short.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(ValueError, match=r"."):
        solved.explore.load_data(tmp_path / "empty.csv")


def test_summary_against_the_textbook_formulas(solved):
    x = np.array([1.0, 2.0, 4.0, 9.0])
    df = pd.DataFrame({"x": [*x, np.nan], "word": ["a", "a", None, "b", "c"], "flag": [True, False, True, True, True]})
    df["nullable"] = pd.array([1, 2, None, 9, 4], dtype="Int64")
    df["nothing"] = np.nan
    summary = solved.explore.summarize(df)
    assert list(summary.index) == list(df.columns)
    n, m = len(x), x - x.mean()
    skew = (m**3).mean() / (m**2).mean() ** 1.5 * np.sqrt(n * (n - 1)) / (n - 2)
    expected = [x.mean(), x.std(ddof=1), 1, 9, skew]
    np.testing.assert_allclose(summary.loc["x", ["mean", "std", "min", "max", "skew"]].astype(float), expected)
    assert summary.loc["nullable", "max"] == 9
    assert summary["missing"].to_dict() == {"x": 1, "word": 1, "flag": 0, "nullable": 1, "nothing": 5}
    assert summary.loc["word", "missing_pct"] == 20
    assert summary["unique"].to_dict() == {"x": 4, "word": 3, "flag": 2, "nullable": 4, "nothing": 0}
    assert summary.loc[["word", "flag", "nothing"], "mean"].isna().all()
    assert len(solved.explore.summarize(pd.DataFrame({"word": []}))) == 1


def test_correlations_are_pairwise_complete_signed_and_sorted_by_size(solved, houses):
    top = solved.explore.top_correlations(houses, k=8)
    everything = {}
    for column in houses.select_dtypes("number").columns.drop("SalePrice"):
        both = houses[[column, "SalePrice"]].dropna()
        if both[column].nunique() > 1:
            everything[column] = np.corrcoef(both[column], both["SalePrice"])[0, 1]
    expected = sorted(everything, key=lambda column: -abs(everything[column]))[:8]
    assert list(top.index) == expected
    np.testing.assert_allclose(top, [everything[column] for column in expected])
    down = pd.DataFrame({"SalePrice": [1, 2, 3, 4], "up": [1, 2, 2, 4], "down": [4, 3, 2, 1], "flat": [1, 1, 1, 1]})
    assert solved.explore.top_correlations(down).index.tolist() == ["down", "up"]


def test_figures_draw_the_data_and_say_what_it_is(solved, houses):
    left, right = solved.explore.plot_target(houses).axes
    for axis, values in ((left, houses["SalePrice"]), (right, np.log1p(houses["SalePrice"]))):
        assert sum(bar.get_height() for bar in axis.patches) == len(houses)
        assert min(bar.get_x() for bar in axis.patches) == pytest.approx(values.min())
        assert axis.get_title()
        assert axis.get_xlabel()
        assert axis.get_ylabel()
    figure = solved.explore.plot_relationships(houses, ["GrLivArea", "YearBuilt", "LotArea", "OverallQual"])
    assert [axis.get_xlabel() for axis in figure.axes] == ["GrLivArea", "YearBuilt", "LotArea", "OverallQual"]
    drawn = np.asarray(figure.axes[1].collections[0].get_offsets())
    np.testing.assert_array_equal(drawn, houses[["YearBuilt", "SalePrice"]])


# Task 2 ---------------------------------------------------------------------------------------------------------------


def test_split_parts_every_row_once_and_repeats_by_seed(solved, houses):
    before = houses.copy()
    train, val = solved.preprocess.split(houses, 0.25, seed=3)
    assert len(val) == 100
    assert sorted([*train.index, *val.index]) == list(houses.index)
    assert list(train.index) != sorted(train.index)
    assert solved.preprocess.split(houses, 0.25, seed=3)[1].index.equals(val.index)
    assert not solved.preprocess.split(houses, 0.25, seed=4)[1].index.equals(val.index)
    train["SalePrice"] = 0
    pd.testing.assert_frame_equal(houses, before)


def test_target_and_back(solved, houses):
    y = solved.preprocess.target(houses)
    assert y.dtype == "float32"
    assert y.index.equals(houses.index)
    np.testing.assert_allclose(y, np.log(houses["SalePrice"] + 1), rtol=1e-6)
    np.testing.assert_allclose(solved.preprocess.to_price(y), houses["SalePrice"], rtol=1e-5)


def test_features_against_scikit_learn(solved, houses, unpriced):
    """Numbers, categories and ladders, column by column, from encoders that know nothing of ours."""
    ours = solved.preprocess.Preprocessor().fit(houses).transform(unpriced)
    for column in ("OverallQual", "LotArea", "LotFrontage", "GarageYrBlt", "TotalBsmtSF"):
        known, new = (df[[column]].fillna(houses[column].median()).to_numpy() for df in (houses, unpriced))
        expected = StandardScaler().fit(known).transform(new)[:, 0]
        np.testing.assert_allclose(ours[column], expected, atol=1e-4, err_msg=column)
    for column in ("Neighborhood", "MSSubClass", "Fence", "RoofMatl", "MSZoning", "MasVnrType"):
        fill = "none" if column == "Fence" else ""
        known, new = (df[[column]].astype("str").fillna(fill).to_numpy() for df in (houses, unpriced))
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False).fit(known)
        expected = StandardScaler().fit(encoder.transform(known)).transform(encoder.transform(new))
        for word, values in zip(encoder.categories_[0], expected.T, strict=True):
            if word:
                np.testing.assert_allclose(ours[f"{column}={word}"], values, atol=1e-4, err_msg=f"{column}={word}")
    ladder = {"Po": 1, "Fa": 2, "TA": 3, "Gd": 4, "Ex": 5}
    for column, none in (("KitchenQual", None), ("BsmtQual", 0), ("FireplaceQu", 0), ("PoolQC", 0)):
        known, new = (df[column].map(ladder).astype("float64") for df in (houses, unpriced))
        fill = known.median() if none is None else none
        expected = StandardScaler().fit(known.fillna(fill).to_frame().to_numpy())
        expected = expected.transform(new.fillna(fill).to_frame().to_numpy())[:, 0]
        np.testing.assert_allclose(ours[column], expected, atol=1e-4, err_msg=column)


def test_veneer_area_is_zero_without_veneer_and_a_hole_elsewhere(solved, houses, unpriced):
    preprocessor = solved.preprocess.Preprocessor().fit(houses)
    hole = unpriced["MasVnrArea"].isna()
    bare = unpriced["MasVnrType"] == "None"
    areas = preprocessor.transform(unpriced.assign(MasVnrArea=unpriced["MasVnrArea"]))["MasVnrArea"]
    zero = preprocessor.transform(unpriced.assign(MasVnrArea=0.0))["MasVnrArea"]
    median = preprocessor.transform(unpriced.assign(MasVnrArea=houses["MasVnrArea"].median()))["MasVnrArea"]
    assert (hole & bare).any()
    assert (hole & ~bare).any()
    assert areas[hole & bare].equals(zero[hole & bare])
    assert areas[hole & ~bare].equals(median[hole & ~bare])


def table(row: dict, times: int = 1) -> pd.DataFrame:
    """A table of equal rows."""
    return pd.DataFrame([row] * times)


def test_na_that_means_none_is_a_level_of_its_own(solved, houses):
    """A house without a basement, a garage or a fence differs from every house that has one, and from the median."""
    preprocessor = solved.preprocess.Preprocessor().fit(houses)
    for column in sorted(solved.preprocess.none_columns()):
        with_one = houses[houses[column].notna()].iloc[[0]]
        features = [name for name in preprocessor.feature_names_ if name.split("=")[0] == column]
        one = preprocessor.transform(with_one)[features].to_numpy()
        none = preprocessor.transform(with_one.assign(**{column: np.nan}))[features].to_numpy()
        assert not np.allclose(one, none), column
        if len(features) == 1:
            words = solved.preprocess.ladders()[column]
            levels = preprocessor.transform(pd.concat([with_one.assign(**{column: word}) for word in words]))[column]
            assert none[0, 0] < levels.iloc[0], column
            assert levels.is_monotonic_increasing, column


def test_ladders_are_kaggles_words(solved, houses, unpriced):
    """Every word that a ladder's column holds is one of its rungs, so that none is taken for a hole."""
    for column, words in solved.preprocess.ladders().items():
        assert set(houses[column].dropna()) | set(unpriced[column].dropna()) <= set(words), column


def test_a_house_depends_on_its_own_row_alone(solved, houses, unpriced):
    preprocessor = solved.preprocess.Preprocessor().fit(houses)
    everything = preprocessor.transform(unpriced)
    for house in unpriced.index[:20]:
        pd.testing.assert_frame_equal(preprocessor.transform(unpriced.loc[[house]]), everything.loc[[house]])
    as_objects = pd.concat([unpriced.loc[house].to_frame().T for house in unpriced.index[:20]])
    alike = preprocessor.transform(as_objects)
    np.testing.assert_array_equal(alike, everything.iloc[:20])
    shuffled = unpriced.sample(frac=1, random_state=0)[unpriced.columns[::-1]]
    pd.testing.assert_frame_equal(preprocessor.transform(shuffled).loc[unpriced.index], everything)


def test_output_is_finite_float32_with_the_same_columns_for_any_table(solved, houses, unpriced):
    preprocessor = solved.preprocess.Preprocessor()
    before = houses.copy(), unpriced.copy()
    known = preprocessor.fit_transform(houses)
    empty = unpriced.iloc[:1].assign(**dict.fromkeys(unpriced.columns, np.nan))
    infinite = unpriced.assign(LotArea=np.inf)
    for features in (known, *map(preprocessor.transform, (unpriced, unpriced.iloc[:0], empty, infinite))):
        assert (features.dtypes == "float32").all()
        assert np.isfinite(features.to_numpy()).all()
        assert list(features.columns) == preprocessor.feature_names_
    assert preprocessor.transform(unpriced).index.equals(unpriced.index)
    np.testing.assert_allclose(known.mean(), 0, atol=1e-4)
    np.testing.assert_allclose(known.std(ddof=0)[known.std() > 0], 1, atol=1e-4)
    pd.testing.assert_frame_equal(houses, before[0])
    pd.testing.assert_frame_equal(unpriced, before[1])


def test_unseen_words_switch_all_indicators_off(solved, houses, unpriced):
    preprocessor = solved.preprocess.Preprocessor().fit(houses)
    for column, word in (("Neighborhood", "Atlantis"), ("MSSubClass", 150), ("Fence", "Hedge"), ("SaleType", np.nan)):
        features = [name for name in preprocessor.feature_names_ if name.startswith(f"{column}=")]
        off = (0 - preprocessor.mean_) / preprocessor.std_
        expected = pd.Series(off, preprocessor.feature_names_)[features]
        new = preprocessor.transform(unpriced.iloc[:3].assign(**{column: word}))[features]
        np.testing.assert_allclose(new, np.tile(expected, (3, 1)), rtol=1e-6)


def test_codes_are_read_alike_as_whole_numbers_floats_and_nullable(solved, houses, unpriced):
    preprocessor = solved.preprocess.Preprocessor().fit(houses)
    expected = preprocessor.transform(unpriced)
    for dtype in ("float64", "Int64", "object"):
        alike = preprocessor.transform(unpriced.astype({"MSSubClass": dtype}))
        pd.testing.assert_frame_equal(alike, expected)
    pd.testing.assert_frame_equal(preprocessor.transform(unpriced.convert_dtypes()), expected)


def test_neither_id_nor_price_is_a_feature(solved, houses):
    with_id = houses.reset_index()
    features = solved.preprocess.Preprocessor().fit_transform(with_id)
    assert not [name for name in features if name.startswith(("Id", "SalePrice"))]
    pd.testing.assert_frame_equal(
        features,
        solved.preprocess.Preprocessor().fit_transform(houses.drop(columns="SalePrice").reset_index(drop=True)),
    )


def test_columns_that_never_vary_become_zero(solved):
    row = {"Flat": 0.1, "Street": "Pave", "KitchenQual": "TA", "Nothing": np.nan, "GarageType": np.nan}
    features = solved.preprocess.Preprocessor().fit_transform(table(row, times=7))
    assert features.shape == (7, 5)
    assert (features == 0).all(axis=None)


def test_clear_errors(solved, houses):
    with pytest.raises(NotFittedError, match="fit"):
        solved.preprocess.Preprocessor().transform(houses)
    preprocessor = solved.preprocess.Preprocessor().fit(houses)
    with pytest.raises(ValueError, match="LotArea, Fence"):
        preprocessor.transform(houses.drop(columns=["LotArea", "Fence"]))


@needs_real_data
def test_kaggles_own_tables(solved):
    """Kaggle's codes are all understood, and a ridge on the features is as good as it should be on held-out houses."""
    df, unpriced = (solved.explore.load_data(REAL / name) for name in ("train.csv", "test.csv"))
    assert df.shape == (1460, 80)
    for column, words in solved.preprocess.ladders().items():
        assert set(df[column].dropna()) | set(unpriced[column].dropna()) <= set(words), column
    train, val = solved.preprocess.split(df)
    preprocessor = solved.preprocess.Preprocessor().fit(train)
    model = RidgeCV(np.logspace(1, 4, 7)).fit(preprocessor.transform(train), solved.preprocess.target(train))
    error = model.predict(preprocessor.transform(val)) - solved.preprocess.target(val)
    assert np.sqrt((error**2).mean()) < 0.14
    assert preprocessor.transform(unpriced).notna().all(axis=None)
