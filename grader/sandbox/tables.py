"""pandas objects as nodes: columns as arrays or lists with their dtype's name, so that no foreign parser is needed.

pandas is looked up, never imported, on the writing side: a worker without it loses nothing.
"""

import datetime
import re
import sys
import zoneinfo
from collections.abc import Callable
from typing import Any

import numpy as np

from grader.errors import ProtocolError

MAX_ROWS = 1 << 24  # of an index that arrives as three numbers
# pandas puts labels into hash tables whose collisions can be chosen: the square of so many must not take long
MAX_COLUMNS, MAX_LABELS, MAX_GROUPS = 10_000, 100_000, 20_000
KINDS = ("S", "F", "I")
TEXT_TYPES = ("str", "string", "object")
FIXED_OFFSET = re.compile(r"UTC(?:([+-])(\d\d):(\d\d))?")
NULLABLE_TYPES = (
    *(f"{kind}{bits}" for kind in ("Int", "UInt") for bits in (8, 16, 32, 64)),
    "Float32",
    "Float64",
    "boolean",
)

Write = Callable[[object], Any]
Read = Callable[[Any], Any]


def _pandas() -> Any:
    return sys.modules.get("pandas")


def is_table(value: object) -> bool:
    """Whether pandas made it and `write` knows how to write it."""
    pandas = _pandas()
    return pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series | pandas.Index | _arrays(pandas))


def is_missing(value: object) -> bool:
    """Whether it is one of pandas' words for nothing."""
    pandas = _pandas()
    return pandas is not None and (value is pandas.NA or value is pandas.NaT)


def is_dtype(value: object) -> bool:
    """Whether it is the dtype of a pandas extension array."""
    pandas = _pandas()
    return pandas is not None and isinstance(value, pandas.api.extensions.ExtensionDtype)


def missing(name: str) -> object:
    """`pandas.NA` or `pandas.NaT`."""
    import pandas

    return {"NA": pandas.NA, "NaT": pandas.NaT}[name]


def write(value: Any, node: Write) -> dict:
    """The node of a DataFrame, Series, Index or pandas array."""
    pandas = _pandas()
    if isinstance(value, pandas.DataFrame):
        return {"F": [_index(value.columns, node), _index(value.index, node), _columns(value, node)]}
    if isinstance(value, pandas.Index):
        return {"I": _index(value, node)}
    series = pandas.Series(value) if isinstance(value, _arrays(pandas)) else value
    return {"S": [node(series.name), _index(series.index, node), _column(series.array, node)]}


def read(kind: str, content: list, value: Read) -> Any:
    """The pandas object of a node; its dtype names are looked up in fixed lists."""
    import pandas

    if kind == "I":
        return _read_index(content, value)
    if kind == "S":
        name, index, column = content
        return pandas.Series(_read_column(column, value), index=_read_index(index, value), name=value(name))
    names, index, columns = content
    rows = _read_index(index, value)
    header = _at_most(MAX_COLUMNS, _read_index(names, value), "columns")
    if columns and columns[0] == "block":
        block = value(columns[1])
        if not (isinstance(block, np.ndarray) and block.ndim == 2):  # a single number would fill any table
            raise ProtocolError("a block is an array of two dimensions")
        return pandas.DataFrame(block, index=rows, columns=header)
    frame = pandas.DataFrame({i: _read_column(column, value) for i, column in enumerate(columns)}, index=rows)
    frame.columns = header
    return frame


def _index(index: Any, node: Write) -> list:
    pandas = _pandas()
    if isinstance(index, pandas.MultiIndex):
        levels = [_column(index.get_level_values(i).array, node) for i in range(index.nlevels)]
        return ["multi", node(list(index.names)), levels]
    if isinstance(index, pandas.RangeIndex):
        return ["range", node(index.name), [index.start, index.stop, index.step]]
    return ["plain", node(index.name), _column(index.array, node)]


def _read_index(content: list, value: Read) -> Any:
    import pandas

    kind, name, rest = content
    if kind == "multi":
        levels = [_at_most(MAX_GROUPS, _read_column(level, value), "labels in levels") for level in rest]
        return pandas.MultiIndex.from_arrays(levels, names=value(name))
    if kind == "range":
        start, stop, step = (int(number) for number in rest)
        if len(range(start, stop, step)) > MAX_ROWS:
            raise ProtocolError(f"an index of more than {MAX_ROWS} rows")
        return pandas.RangeIndex(start, stop, step, name=value(name))
    return pandas.Index(_at_most(MAX_LABELS, _read_column(rest, value), "labels"), name=value(name))


def _columns(frame: Any, node: Write) -> list:
    """One block where all columns are of one NumPy type: hundreds of features travel as fast as one. Else a list."""
    dtypes = set(frame.dtypes)
    if len(dtypes) == 1 and isinstance(dtype := dtypes.pop(), np.dtype) and dtype.kind in "biuf":
        return ["block", node(frame.to_numpy())]
    return [_column(series.array, node) for _, series in frame.items()]


def _column(array: Any, node: Write) -> list:
    """dtype name and values: a NumPy array where there is one, otherwise the list of values."""
    pandas = _pandas()
    dtype = array.dtype
    if isinstance(dtype, pandas.DatetimeTZDtype):
        utc = array.tz_convert("UTC").tz_localize(None)
        return ["zoned", [str(dtype.tz), node(np.asarray(utc))]]
    if isinstance(array, _array_backed(pandas)) and dtype.kind != "O":
        return ["numpy", node(np.asarray(array))]
    if isinstance(dtype, pandas.CategoricalDtype):
        return ["category", node(array.tolist())]
    name = "str" if isinstance(dtype, pandas.StringDtype) and dtype.na_value is np.nan else str(dtype)
    return [name if name in NULLABLE_TYPES + TEXT_TYPES else "object", node(array.tolist())]


def _read_column(content: list, value: Read) -> Any:
    import pandas

    name, values = content
    if name == "zoned":
        zone, utc = values
        return pandas.DatetimeIndex(value(utc)).tz_localize("UTC").tz_convert(_zone(zone))
    values = value(values)
    if name == "numpy":
        if not (isinstance(values, np.ndarray) and values.ndim == 1):
            raise ProtocolError("a column is an array of one dimension")
        return values
    if not isinstance(values, list):
        raise ProtocolError("a column is a list of values")
    if name == "category":
        return pandas.Categorical(_at_most(MAX_GROUPS, values, "values of categories"))
    if name in NULLABLE_TYPES or name in ("str", "string"):
        return pandas.array(values, dtype=name)
    if name != "object":
        raise ProtocolError(f"unknown kind of column {str(name)[:40]!r}")
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _at_most(limit: int, values: Any, what: str) -> Any:
    if len(values) > limit:
        raise ProtocolError(f"expected at most {limit} {what}, found {len(values)}")
    return values


def _zone(name: object) -> datetime.tzinfo:
    """A time zone of the IANA's list, or a fixed offset; pandas itself would open any file that is named to it."""
    if not isinstance(name, str):
        raise ProtocolError("a time zone has a name")
    if offset := FIXED_OFFSET.fullmatch(name):
        sign, hours, minutes = offset.groups()
        east = datetime.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
        return datetime.timezone(-east if sign == "-" else east)
    return zoneinfo.ZoneInfo(name)  # looks in its own folders alone


def _array_backed(pandas: Any) -> Any:
    """Extension arrays that are nothing but a NumPy array."""
    arrays = pandas.arrays
    return arrays.NumpyExtensionArray | arrays.DatetimeArray | arrays.TimedeltaArray


def _arrays(pandas: Any) -> Any:
    return pandas.api.extensions.ExtensionArray
