import numpy as np
import pandas as pd
from helpers import TARGET, clean, encoder, kind
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import train_test_split


def split(df, val_fraction=0.2, seed=0):
    n_val = round(val_fraction * len(df))
    if n_val in (0, len(df)):  # train_test_split refuses empty parts
        mixed = df.sample(frac=1, random_state=seed)
        return mixed.iloc[n_val:], mixed.iloc[:n_val]
    return tuple(train_test_split(df, test_size=n_val, random_state=seed))


def target(df):
    return pd.Series(np.log1p(df[TARGET].astype("float64")), dtype="float32")


def to_price(y):
    return np.exp(np.asarray(y, dtype="float64")) - 1


class Preprocessor:
    def fit(self, df):
        self.kinds_ = {name: kind(df[name]) for name in df.columns if name not in ("Id", TARGET)}
        self.seen_ = [*self.kinds_]
        table = clean(df[self.seen_], self.kinds_)
        self.pipeline_ = encoder(table, self.kinds_).fit(table)
        self.feature_names_ = self.pipeline_.get_feature_names_out()
        return self

    def transform(self, df):
        if not hasattr(self, "pipeline_"):
            raise NotFittedError("This Preprocessor is not fitted yet.")
        absent = [name for name in self.seen_ if name not in df]
        if absent:
            raise ValueError(f"columns that fit saw are absent: {absent}")
        features = np.empty((0, len(self.feature_names_)))
        if len(df):
            features = self.pipeline_.transform(clean(df[self.seen_], self.kinds_))
        limit = np.finfo("float32").max
        return pd.DataFrame(np.clip(features, -limit, limit), df.index, self.feature_names_, dtype="float32")

    def fit_transform(self, df):
        return self.fit(df).transform(df)
