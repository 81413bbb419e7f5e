"""Task 2: tensors of numbers and of category codes."""

import pandas as pd
import torch
import torch.nn.functional as F

TARGET = "SalePrice"
NAN = float("nan")

QUALITY = ("Po", "Fa", "TA", "Gd", "Ex")
FINISHED_AREA = ("Unf", "LwQ", "Rec", "BLQ", "ALQ", "GLQ")


def none_columns() -> set[str]:
    ladders_with_none = {name for name, (_, has_none) in ladders().items() if has_none}
    return ladders_with_none | {"Alley", "GarageType", "Fence", "MiscFeature"}


def ladders() -> dict[str, tuple[tuple[str, ...], bool]]:
    """Column -> its words from the worst to the best, and whether NA is a rung below them."""
    found = {f"Exter{what}": (QUALITY, False) for what in ("Qual", "Cond")}
    found |= {name: (QUALITY, False) for name in ("HeatingQC", "KitchenQual")}
    found |= {f"{where}{what}": (QUALITY, True) for where in ("Bsmt", "Garage") for what in ("Qual", "Cond")}
    found |= {name: (QUALITY, True) for name in ("FireplaceQu", "PoolQC")}
    found |= {f"BsmtFinType{i}": (FINISHED_AREA, True) for i in (1, 2)}
    found["BsmtExposure"] = (("No", "Mn", "Av", "Gd"), True)
    found["GarageFinish"] = (("Unf", "RFn", "Fin"), True)
    found["Functional"] = (("Sal", "Sev", "Maj2", "Maj1", "Mod", "Min2", "Min1", "Typ"), False)
    found["LotShape"] = (("IR3", "IR2", "IR1", "Reg"), False)
    found["CentralAir"] = (("N", "Y"), False)
    return found


LADDERS, NONE = ladders(), none_columns()


def split(df: pd.DataFrame, val_fraction: float = 0.2, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    n_val = int(torch.tensor(val_fraction * len(df), dtype=torch.float64).round())
    order = torch.randperm(len(df), generator=torch.Generator().manual_seed(seed))
    val, train = order.tensor_split([n_val])
    return df.iloc[train.tolist()], df.iloc[val.tolist()]


def target(df: pd.DataFrame) -> pd.Series:
    prices = torch.tensor(df[TARGET].to_numpy("float64", na_value=NAN))
    return pd.Series(prices.log1p().float().numpy(), index=df.index, name="log1p(SalePrice)")


def to_price(y: object):
    y = torch.as_tensor(y if isinstance(y, torch.Tensor) else pd.Series(y).to_numpy(copy=True))
    return y.double().expm1().numpy()


def values_of(df: pd.DataFrame, column: str) -> list:
    """Python's None for what is missing."""
    return [None if hole else value for value, hole in zip(df[column].astype(object), df[column].isna())]


def read_ladder(df: pd.DataFrame, column: str) -> torch.Tensor:
    words, has_none = LADDERS[column]
    rungs = dict(zip(words, range(1, len(words) + 1))) | ({None: 0} if has_none else {})
    return torch.tensor([rungs.get(word, NAN) for word in values_of(df, column)], dtype=torch.float64)


def read_numbers(df: pd.DataFrame, column: str) -> torch.Tensor:
    numbers = pd.to_numeric(df[column].astype(object), errors="coerce").to_numpy("float64", na_value=NAN)
    x = torch.tensor(numbers, dtype=torch.float64)
    x = torch.where(x.isfinite(), x, NAN)
    if column == "MasVnrArea" and "MasVnrType" in df.columns:
        no_veneer = torch.tensor([word == "None" for word in values_of(df, "MasVnrType")], dtype=torch.bool)
        x = x.masked_fill(x.isnan() & no_veneer, 0.0)
    return x


def read_words(df: pd.DataFrame, column: str) -> list[str | None]:
    none = "none" if column in NONE else None
    words = values_of(df, column)
    return [none if word is None else word if isinstance(word, str) else f"{word}".removesuffix(".0") for word in words]


def standardise(X: torch.Tensor, mean: torch.Tensor, std: torch.Tensor) -> torch.Tensor:
    return X.sub(mean).div(std)


class Preprocessor:
    def fit(self, df: pd.DataFrame) -> "Preprocessor":
        self.fill_, self.codes_ = {}, {}
        for column in df.columns:
            if column in ("Id", TARGET):
                continue
            if column in LADDERS:
                # the lower one of two middle rungs: a median rung is a rung
                self.fill_[column] = read_ladder(df, column).nanmedian().nan_to_num(0.0)
            elif self._is_category(df, column):
                known = sorted({word for word in read_words(df, column) if word is not None})
                self.codes_[column] = {word: code for code, word in enumerate(known, 1)}
            else:
                self.fill_[column] = read_numbers(df, column).nanquantile(0.5).nan_to_num(0.0)
        X = self._encode(df)
        varies = X.amax(0) > X.amin(0)
        self.mean_ = torch.where(varies, X.mean(0), X[0])
        self.std_ = torch.where(varies, X.std(0, correction=0), 1.0)
        indicators = [f"{column}={word}" for column, codes in self.codes_.items() for word in codes]
        self.feature_names_ = [str(column) for column in self.fill_] + indicators
        return self

    def _is_category(self, df: pd.DataFrame, column: str) -> bool:
        return column in NONE or column == "MSSubClass" or not pd.api.types.is_numeric_dtype(df[column])

    def _encode(self, df: pd.DataFrame) -> torch.Tensor:
        """Numbers and ladders first, then the indicators; (houses, features)."""
        blocks = [torch.empty(len(df), 0, dtype=torch.float64)]
        for column, fill in self.fill_.items():
            x = (read_ladder if column in LADDERS else read_numbers)(df, column)
            blocks.append(torch.where(x.isnan(), fill, x)[:, None])
        for column, codes in self.codes_.items():
            code = torch.tensor([codes.get(word, 0) for word in read_words(df, column)], dtype=torch.long)
            blocks.append(F.one_hot(code, len(codes) + 1)[:, 1:].double())  # code 0 is nobody's
        return torch.cat(blocks, dim=1)

    def transform(self, df: pd.DataFrame) -> pd.DataFrame:
        names = self.feature_names_  # AttributeError before fit
        if absent := [str(column) for column in (*self.fill_, *self.codes_) if column not in df.columns]:
            raise ValueError("absent: " + ", ".join(absent))
        Z = standardise(self._encode(df), self.mean_, self.std_).float()
        return pd.DataFrame(Z.numpy(), index=df.index, columns=names)

    def fit_transform(self, df: pd.DataFrame) -> pd.DataFrame:
        return self.fit(df).transform(df)
