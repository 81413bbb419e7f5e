import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.exceptions import NotFittedError

TARGET = "SalePrice"

ORDERS = {
    "Quality": ["Po", "Fa", "TA", "Gd", "Ex"],
    "Exposure": ["No", "Mn", "Av", "Gd"],
    "BsmtFin": ["Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ"],
    "GarageFin": ["Unf", "RFn", "Fin"],
    "Functional": ["Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"],
}
# column -> (order, whether NA means none)
LADDERS = {
    "ExterQual": ("Quality", False), "ExterCond": ("Quality", False), "HeatingQC": ("Quality", False),
    "KitchenQual": ("Quality", False), "BsmtQual": ("Quality", True), "BsmtCond": ("Quality", True),
    "FireplaceQu": ("Quality", True), "GarageQual": ("Quality", True), "GarageCond": ("Quality", True),
    "PoolQC": ("Quality", True), "BsmtExposure": ("Exposure", True), "BsmtFinType1": ("BsmtFin", True),
    "BsmtFinType2": ("BsmtFin", True), "GarageFinish": ("GarageFin", True), "Functional": ("Functional", False),
}  # fmt: skip
NONE_CATEGORIES = ["Alley", "GarageType", "Fence", "MiscFeature"]


def split(df, val_fraction=0.2, seed=0):
    shuffled = df.sample(frac=1.0, random_state=seed)
    n_train = len(df) - int(np.floor(len(df) * val_fraction + 0.5))
    return shuffled.iloc[:n_train], shuffled.iloc[n_train:]


def target(df):
    log = np.log1p(df[TARGET].to_numpy("float64", na_value=np.nan))
    return pd.Series(log.astype("float32"), index=df.index, name=TARGET)


def to_price(y):
    return np.expm1(pd.Series(y, dtype="float64").to_numpy())


def ladder(column):
    order, has_none = LADDERS[column.name]
    words = column.astype(object).where(column.isin(ORDERS[order]), None)
    words = pd.Categorical(words, categories=ORDERS[order], ordered=True)
    rungs = pd.Series(words.codes, index=column.index, dtype="float64")
    rungs[rungs < 0] = np.nan
    if has_none:
        rungs[column.isna().to_numpy()] = -1.0
    return rungs


def category(column):
    text = column.astype(object)
    if is_numeric_dtype(column):
        text = column.astype("float64").map("{:g}".format, na_action="ignore").astype(object)
    if column.name in NONE_CATEGORIES:
        text = text.where(column.notna(), "none")
    return text.where(text.notna(), None)


def dummies(column):
    text = category(column).map(str, na_action="ignore")
    return pd.get_dummies(text, prefix=str(column.name), prefix_sep=":", dtype="float64")


def number(column, df, veneer_known):
    values = pd.to_numeric(column, errors="coerce").astype("float64")
    values = values.where(np.isfinite(values))
    if column.name == "MasVnrArea" and veneer_known:
        no_veneer = df["MasVnrType"].astype(object).eq("None").fillna(False).astype(bool)
        values = values.where(values.notna() | ~no_veneer, 0.0)
    return values


class Preprocessor:
    def fit(self, df):
        self.columns_ = df.columns.difference(["Id", TARGET], sort=False).tolist()
        self.dummies_ = {}
        for name in self.columns_:
            if name in LADDERS:
                continue
            if name == "MSSubClass" or name in NONE_CATEGORIES or not is_numeric_dtype(df[name]):
                self.dummies_[name] = dummies(df[name]).columns
        numbers = self._numbers(df)
        self.medians_ = numbers.median().fillna(0.0)
        table = self._table(df)
        self.feature_names_ = table.columns
        constant = table.nunique() <= 1
        self.center_ = table.mean().mask(constant, table.iloc[0])
        self.scale_ = table.std(ddof=1).mask(constant, 1.0)
        return self

    def _numbers(self, df):
        numbers = {}
        for name in self.columns_:
            if name in LADDERS:
                numbers[name] = ladder(df[name])
            elif name not in self.dummies_:
                numbers[name] = number(df[name], df, "MasVnrType" in self.columns_)
        return pd.DataFrame(numbers, index=df.index, dtype="float64")

    def _table(self, df):
        parts = [self._numbers(df).fillna(self.medians_)]
        for name, columns in self.dummies_.items():
            parts.append(dummies(df[name]).reindex(columns=columns, fill_value=0.0))
        return pd.concat(parts, axis="columns")

    def transform(self, df):
        if "scale_" not in vars(self):
            raise NotFittedError("Preprocessor.transform needs Preprocessor.fit first")
        missing = [name for name in self.columns_ if name not in df.columns]
        if missing:
            raise ValueError("missing in the table: %s" % missing)
        scaled = self._table(df).sub(self.center_).div(self.scale_)
        return scaled.clip(-1e30, 1e30).astype(np.float32)

    def fit_transform(self, df):
        return self.fit(df).transform(df)
