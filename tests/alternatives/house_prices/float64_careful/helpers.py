"""Numbers in double precision, for all tasks."""

import numpy as np
import pandas as pd
import torch


def float64(values: object) -> np.ndarray:
    """Any container of numbers as a float64 array in the same shape; a missing number is NaN."""
    if isinstance(values, torch.Tensor):
        return values.detach().cpu().to(torch.float64).numpy()
    if isinstance(values, (pd.Series, pd.Index)):
        return values.to_numpy(dtype="float64", na_value=np.nan)
    return np.asarray(values, dtype="float64")


def pair(a: object, b: object) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64 vectors of the same length.

    Raises:
        ValueError: one of them is no column of numbers, they are empty or not equally long.
    """
    a, b = float64(a), float64(b)
    for x in (a, b):
        if x.size != x.shape[0] if x.ndim else True:
            raise ValueError(f"expected (n,) or (n, 1), found {x.shape}")
    if len(a) != len(b) or len(a) == 0:
        raise ValueError(f"found {len(a)} and {len(b)} numbers")
    return a.reshape(len(a)), b.reshape(len(b))


def is_number(values: pd.Series) -> bool:
    """Numbers, but neither dates nor spans of time nor truth values."""
    return pd.api.types.is_any_real_numeric_dtype(values.dtype)
