"""Plain-language assertions: what came back is first turned into a known plain type, then compared.

Each raises `CheckFailed`, whose text says the rule, the case, what was expected and what came. NaN fails every comparison.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import pandas as pd

from grader.suite.figures import Figure

if TYPE_CHECKING:
    import torch

MOST_NUMBERS = 1 << 25  # that become float64, eight times as much as bytes


class CheckFailed(AssertionError):
    """A check's rule does not hold; the text has one labelled line for each fact."""

    def __init__(self, rule: str, *, expected: object = None, got: object = None, case: str = "") -> None:
        facts = {"Rule": rule, "Case": case, "Expected": _short(expected), "Got": _short(got)}
        super().__init__("\n".join(f"{label + ':':<10}{fact}" for label, fact in facts.items() if fact))


def require(holds: bool, rule: str, *, expected: object = None, got: object = None, case: str = "") -> None:
    """Fail unless `holds` is exactly True; `rule` says in words what must hold."""
    if holds is not True and not (isinstance(holds, np.bool_) and bool(holds)):
        raise CheckFailed(rule, expected=expected, got=got, case=case)


def require_equal(got: object, expected: object, rule: str, case: str = "") -> None:
    """Fail unless `got` equals `expected`, both plain: numbers, text, or lists, tuples, sets and dictionaries of them."""
    require(got == expected, rule, expected=expected, got=got, case=case)


def assert_close(
    actual: object,
    expected: object,
    what: str,
    *,
    rtol: float = 1e-5,
    atol: float = 1e-6,
    case: str = "",
) -> None:
    """`actual` has `expected`'s shape and values: |actual − expected| ≤ atol + rtol·|expected| everywhere.

    Either may be numbers, lists, arrays, tensors or Series, or dictionaries of them with equal keys.
    """
    if isinstance(expected, dict):
        if not isinstance(actual, dict):
            raise CheckFailed(f"{what} is a dictionary", got=_kind(actual), case=case)
        require(set(actual) == set(expected), f"{what} has these keys", expected=set(expected), got=set(actual))
        for key, value in expected.items():
            assert_close(actual[key], value, f"{what}[{key!r}]", rtol=rtol, atol=atol, case=case)
        return
    wanted = np.asarray(expected, dtype=np.float64)
    got = as_array(actual, what, case=case)
    if got.shape != wanted.shape:
        raise CheckFailed(f"{what} has the right shape", expected=wanted.shape, got=got.shape, case=case)
    with np.errstate(invalid="ignore"):
        near = np.abs(got - wanted) <= atol + rtol * np.abs(wanted)
    near |= np.isnan(got) & np.isnan(wanted)
    near |= (got == wanted) & np.isinf(wanted)
    if not near.all():
        raise CheckFailed(f"{what} is right", expected=_first(wanted, near), got=_first(got, near), case=case)


def assert_same(
    first: object, second: object, what: str, *, rtol: float = 1e-5, atol: float = 1e-6, case: str = ""
) -> None:
    """Two answers of the student's are alike, as by `assert_close`, and they are answers: finite numbers, not all equal.

    Zeros, or NaN, are alike whatever was asked.
    """
    values = as_array(first, what, case=case)
    require(values.size > 0 and bool(np.isfinite(values).all()), f"{what} is finite", got=_some(values), case=case)
    varies = values.size == 1 or bool((values != values.flat[0]).any())
    require(varies, f"{what} is not one number throughout", got=_some(values), case=case)
    assert_close(second, values, what, rtol=rtol, atol=atol, case=case)


def as_array(value: object, what: str, *, shape: tuple[int | None, ...] | None = None, case: str = "") -> np.ndarray:
    """Numbers as float64; `shape` may leave extents open with None."""
    rule = f"{what} is made of numbers"
    if (size := _size(value)) > MOST_NUMBERS:
        raise CheckFailed(f"{what} has at most {MOST_NUMBERS} numbers", got=f"{size} numbers", case=case)
    plain = value.detach().to(dtype=_float64()).numpy() if _is_tensor(value) else value
    if not isinstance(plain, int | float | np.number | np.ndarray | list | tuple | pd.Series | pd.DataFrame | pd.Index):
        raise CheckFailed(rule, got=_kind(value), case=case)
    if isinstance(plain, list | tuple):
        plain = [as_array(item, what, case=case) if _is_tensor(item) else item for item in plain]
    try:
        array = np.asarray(plain, dtype=np.float64)
    except (TypeError, ValueError):
        raise CheckFailed(rule, got=_kind(value), case=case) from None
    if shape is not None:
        fits = len(shape) == array.ndim and all(
            want in (None, have) for want, have in zip(shape, array.shape, strict=True)
        )
        if not fits:
            extents = ["n" if extent is None else str(extent) for extent in shape]
            wanted = f"({extents[0]},)" if len(extents) == 1 else f"({', '.join(extents)})"
            raise CheckFailed(f"{what} has the right shape", expected=wanted, got=array.shape, case=case)
    return array


def as_float(value: object, what: str, *, case: str = "") -> float:
    """One number, also as an array or tensor of one element without dimensions."""
    array = as_array(value, what, case=case)
    if array.ndim:
        raise CheckFailed(f"{what} is one number", got=f"an array of shape {array.shape}", case=case)
    return float(array)


def as_frame(value: object, what: str, *, case: str = "") -> pd.DataFrame:
    """A DataFrame whose column names are distinct."""
    if not isinstance(value, pd.DataFrame):
        raise CheckFailed(f"{what} is a DataFrame", got=_kind(value), case=case)
    if not value.columns.is_unique:
        twice = value.columns[value.columns.duplicated()][:5].tolist()
        raise CheckFailed(f"{what} has distinct column names", got=f"{twice} more than once", case=case)
    return value


def as_series(value: object, what: str, *, case: str = "") -> pd.Series:
    """A Series."""
    if not isinstance(value, pd.Series):
        raise CheckFailed(f"{what} is a Series", got=_kind(value), case=case)
    return value


def as_figure(value: object, what: str, *, axes: int | None = None) -> Figure:
    """The summary of a matplotlib figure; `axes` asks for at least that many with something drawn on them."""
    if not isinstance(value, Figure):
        raise CheckFailed(f"{what} is a matplotlib Figure", got=_kind(value))
    if axes is not None:
        drawn = sum(1 for axis in value.axes if axis.has_data)
        require(drawn >= axes, f"{what} has something drawn on its axes", expected=f"{axes} axes", got=f"{drawn}")
    return value


def require_columns(frame: pd.DataFrame, names: Sequence[str], what: str) -> None:
    """`frame` has at least these columns."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        found = list(map(str, frame.columns))
        raise CheckFailed(f"{what} has the columns {', '.join(names)}", expected=missing, got=found)


def _float64() -> Any:
    import torch

    return torch.float64


def _is_tensor(value: object) -> TypeGuard["torch.Tensor"]:
    return type(value).__module__ == "torch" and hasattr(value, "detach")


def _size(value: object) -> int:
    """How many numbers there are in an array, tensor or table; 0 for whatever is small by nature."""
    if _is_tensor(value):
        return value.numel()
    return int(value.size) if isinstance(value, np.ndarray | pd.Series | pd.DataFrame | pd.Index) else 0


def _kind(value: object) -> str:
    if value is None:
        return "None (is a return statement missing?)"
    return f"a {getattr(value, 'type_name', type(value).__name__)}"


def _first(values: np.ndarray, near: np.ndarray) -> str:
    """The whole of a small array, or the first place where it is wrong."""
    if values.size <= 6:
        return np.array2string(values, precision=6, separator=", ")
    place = tuple(int(i) for i in np.argwhere(~near)[0])
    at = place[0] if len(place) == 1 else place
    return f"{values[place]:.6g} at {at} ({int((~near).sum())} of {near.size} values differ)"


def _some(values: np.ndarray) -> str:
    """A few of them."""
    return np.array2string(values.reshape(-1)[:6], precision=6, separator=", ", threshold=6)


def _short(fact: object) -> str:
    if fact is None:
        return ""
    text = fact if isinstance(fact, str) else repr(fact)
    return text if len(text) <= 300 else text[:297] + "…"
