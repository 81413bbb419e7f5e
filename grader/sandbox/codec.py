"""Plain data to a frame and back. Decoding executes nothing: no pickle, no code, no look-up by name beyond fixed tables.

Scalars and lists are themselves in msgpack; everything else is a *node*, a dictionary with one key that names its kind:

    d dict   u tuple   s set   i big int   c complex   e datetime   z missing   x NumPy scalar   n ndarray   a text/object
    array    t tensor  S Series   F DataFrame   I Index   y dtype (as its text)   o summary (a figure)   r reference

References are opaque to this module: `Outgoing` says what to write for an object that is not plain data, `Incoming` what to
make of one. Values of subclasses are converted to the plain type, so that nothing arrives that could lie about itself.

What arrives may be made to cost the reader dear: few bytes that stand for much memory, keys that all have one hash. So
each buffer is named once, nothing is built that is larger than what a frame may hold, and reading has so many seconds of
processor time.
"""

import datetime
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
import msgspec
import numpy as np

from grader.errors import ProtocolError
from grader.sandbox import tables

MAX_DEPTH = 64
MAX_DIMENSIONS = 16
MAX_INT_DIGITS = 3500  # in hexadecimal: Python writes no decimal number of more than 4,300 digits
MAX_VALUE_BYTES = 256 << 20  # of all arrays of text together, however few bytes they arrived in
READING_SECONDS = 5.0  # of processor time, for one value
NODES_BETWEEN_LOOKS = 256  # at the clock
NUMPY_KINDS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 float32 float64 complex64 complex128"
NUMPY_TYPES = {name: np.dtype(name) for name in NUMPY_KINDS.split()} | {
    f"{kind}64[{unit}]": np.dtype(f"{kind}64[{unit}]")
    for kind in ("datetime", "timedelta")
    for unit in ("D", "s", "ms", "us", "ns")
}
TENSOR_TYPES = [
    "bool",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "float16",
    "bfloat16",
    "float32",
    "float64",
    "complex64",
    "complex128",
]
PLAIN = frozenset((str, float, bool, bytes, type(None)))  # lists of these are their own nodes
NESTED = frozenset((list, dict))
NUMBERED = frozenset((int,))
KNOWN = PLAIN | NESTED | NUMBERED

Node = Any
Refer = Callable[[object, Callable[[object], Node]], Node]
Resolve = Callable[[str, Any, Callable[[Node], Any]], object]


class Outgoing:
    """Writes one value as a header and buffers; `refer(obj, write)` gives the node of whatever is not plain."""

    def __init__(self, refer: Refer) -> None:
        self._refer = refer
        self.buffers: list[memoryview] = []

    def header(self, value: object) -> bytes:
        return msgspec.msgpack.encode(self.node(value))

    def node(self, value: object, depth: int = 0) -> Node:
        """The tree that stands for `value`; its arrays' bytes go to `buffers`."""
        if depth > MAX_DEPTH:
            raise ProtocolError(f"data nested deeper than {MAX_DEPTH} levels")
        if value is None or type(value) in (bool, float, str, bytes):
            return value
        if type(value) is list:
            return value if PLAIN.issuperset(map(type, value)) else [self.node(item, depth + 1) for item in value]
        for write in (self._scalar, self._container, self._array, self._table):
            node = write(value, depth)
            if node is not None:
                return node
        return self._refer(value, lambda inner: self.node(inner, depth + 1))

    def array(self, values: np.ndarray) -> list:
        """Buffer number, dtype and shape of an array of a known dtype."""
        contiguous = np.ascontiguousarray(values)
        flat = contiguous.reshape(-1).view(np.uint8) if contiguous.size else np.empty(0, np.uint8)
        self.buffers.append(flat.data)
        return [len(self.buffers) - 1, values.dtype.name, list(values.shape)]

    def _scalar(self, value: object, depth: int) -> Node | None:
        if isinstance(value, np.generic):
            return {"x": self.array(np.asarray(value))} if value.dtype.name in NUMPY_TYPES else self.node(value.item())
        if isinstance(value, bool | np.bool_):
            return bool(value)
        if isinstance(value, int):
            whole = int(value)
            return whole if -(2**63) <= whole < 2**63 else {"i": hex(whole)}
        if isinstance(value, float):
            return float(value)
        if isinstance(value, str):
            return "".join(value)
        if isinstance(value, complex):
            return {"c": [value.real, value.imag]}
        if tables.is_missing(value):
            return {"z": str(value).strip("<>")}
        if isinstance(value, datetime.datetime | datetime.date):
            return {"e": value.isoformat()}
        if isinstance(value, np.dtype) or tables.is_dtype(value) or type(value).__module__ == "torch":
            torch = sys.modules.get("torch")
            if torch is None or not isinstance(value, torch.Tensor):
                return {"y": str(value)}
        return None

    def _container(self, value: object, depth: int) -> Node | None:
        if isinstance(value, Mapping) and not tables.is_table(value):
            return {"d": [[self.node(k, depth + 1), self.node(v, depth + 1)] for k, v in value.items()]}
        if isinstance(value, list):
            return [self.node(item, depth + 1) for item in value]
        if isinstance(value, tuple):
            return {"u": [self.node(item, depth + 1) for item in value]}
        if isinstance(value, set | frozenset):
            return {"s": [self.node(item, depth + 1) for item in value]}
        return None

    def _array(self, value: object, depth: int) -> Node | None:
        if isinstance(value, np.ndarray):
            values = np.asarray(value)
            if values.dtype.name in NUMPY_TYPES:
                return {"n": self.array(values)}
            if values.dtype.kind in "USO":
                flat = [self.node(item, depth + 1) for item in values.reshape(-1).tolist()]
                return {"a": [values.dtype.kind, flat, list(values.shape)]}
            return None
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor) and value.layout is torch.strided:
            return self._tensor(torch, value)
        return None

    def _tensor(self, torch: Any, value: Any) -> Node | None:
        name = str(value.dtype).removeprefix("torch.")
        if name not in TENSOR_TYPES:
            return None
        plain = value.detach().cpu().contiguous().resolve_conj().resolve_neg()
        dense = plain.as_strided((plain.numel(),), (1,))  # an axis of one counts as contiguous, whatever its stride
        flat = dense.view(torch.uint8).numpy() if plain.numel() else np.empty(0, np.uint8)
        self.buffers.append(flat.data)
        return {"t": [len(self.buffers) - 1, name, list(plain.shape), bool(value.requires_grad)]}

    def _table(self, value: object, depth: int) -> Node | None:
        return tables.write(value, lambda item: self.node(item, depth + 1)) if tables.is_table(value) else None


class Incoming:
    """Reads one value from a header and its buffers; `resolve(kind, content, read)` makes what other nodes stand for.

    Whatever is malformed is one `ProtocolError`.
    """

    def __init__(self, buffers: list[bytearray], resolve: Resolve) -> None:
        self._buffers: list[bytearray | None] = list(buffers)
        self._text_bytes = 0
        self._resolve = resolve
        self._nodes = 0
        self._until = float("inf")

    def value(self, header: bytes) -> Any:
        """The value of a header from outside."""
        self._until = time.process_time() + READING_SECONDS
        try:
            return self.read(msgpack.unpackb(header, strict_map_key=True, max_map_len=1))
        except ProtocolError:
            raise
        except Exception as error:  # whatever a hostile tree provokes in NumPy, pandas or here is the sender's fault
            raise ProtocolError(f"malformed frame: {type(error).__name__}: {str(error)[:200]}") from None

    def read(self, node: Node, depth: int = 0) -> Any:
        if depth > MAX_DEPTH:
            raise ProtocolError(f"data nested deeper than {MAX_DEPTH} levels")
        self._nodes += 1
        if self._nodes % NODES_BETWEEN_LOOKS == 0 and time.process_time() > self._until:
            raise ProtocolError(f"data that takes more than {READING_SECONDS:g} s to read")
        if isinstance(node, list):
            kinds = set(map(type, node))
            if not kinds <= KNOWN:
                raise ProtocolError("a list of something that is not plain")
            return [self.read(i, depth + 1) for i in node] if kinds & NESTED else node
        if not isinstance(node, dict):
            if type(node) not in KNOWN:
                raise ProtocolError("something that is not plain")
            return node
        if len(node) != 1:
            raise ProtocolError("a node has exactly one kind")
        ((kind, content),) = node.items()
        reader = READERS.get(kind)
        if reader is not None:
            return reader(self, content, depth)
        return self._resolve(kind, content, lambda inner: self.read(inner, depth + 1))

    def _take(self, index: object) -> bytearray:
        """A buffer, for whoever names it first: two arrays of the same bytes are two buffers."""
        buffer = None
        if type(index) is int and 0 <= index < len(self._buffers):
            buffer, self._buffers[index] = self._buffers[index], None
        if buffer is None:
            raise ProtocolError("a buffer that is not there, or not any more")
        return buffer

    def _array(self, content: list, depth: int) -> np.ndarray:
        index, name, shape = content
        dtype = NUMPY_TYPES[name]
        buffer = self._take(index)
        return np.frombuffer(buffer, dtype).reshape(_shape(shape, dtype.itemsize, len(buffer)))

    def _object_array(self, content: list, depth: int) -> np.ndarray:
        kind, flat, shape = content
        values = np.empty(len(flat), dtype=object)
        values[:] = [self.read(item, depth + 1) for item in flat]
        values = values.reshape(_shape(shape, 1, len(flat)))
        if kind != "U":
            return values
        if not all(type(value) is str for value in flat):
            raise ProtocolError("an array of text holds text alone")
        self._text_bytes += 4 * len(flat) * max(map(len, flat), default=0)  # each takes as much as the longest
        if self._text_bytes > MAX_VALUE_BYTES:
            raise ProtocolError(f"arrays of text of more than {MAX_VALUE_BYTES} bytes")
        return values.astype(str)

    def _tensor(self, content: list, depth: int) -> Any:
        import torch

        index, name, shape, requires_grad = content
        if name not in TENSOR_TYPES:
            raise ProtocolError(f"unknown tensor type {name!r}")
        dtype = getattr(torch, name)
        buffer = self._take(index)
        shape = _shape(shape, torch.empty(0, dtype=dtype).element_size(), len(buffer))
        tensor = torch.frombuffer(buffer, dtype=dtype).reshape(shape) if buffer else torch.empty(shape, dtype=dtype)
        return tensor.requires_grad_(bool(requires_grad) and (tensor.is_floating_point() or tensor.is_complex()))

    def _dict(self, content: list, depth: int) -> dict:
        return {self.read(key, depth + 1): self.read(value, depth + 1) for key, value in content}

    def _datetime(self, content: str, depth: int) -> datetime.date:
        return (datetime.datetime if "T" in content else datetime.date).fromisoformat(content)

    def _big_int(self, content: str, depth: int) -> int:
        if len(content) > MAX_INT_DIGITS:
            raise ProtocolError("an integer of too many digits")
        return int(content, 16)

    def _text(self, content: str, depth: int) -> str:
        if not isinstance(content, str):
            raise ProtocolError("expected text")
        return content


def _reader_of_tables(kind: str) -> Callable[[Incoming, list, int], Any]:
    return lambda self, content, depth: tables.read(kind, content, lambda node: self.read(node, depth + 1))


READERS: dict[str, Callable[[Incoming, Any, int], Any]] = {
    "d": Incoming._dict,
    "u": lambda self, content, depth: tuple(self.read(item, depth + 1) for item in content),
    "s": lambda self, content, depth: {self.read(item, depth + 1) for item in content},
    "i": Incoming._big_int,
    "c": lambda self, content, depth: complex(*content),
    "e": Incoming._datetime,
    "z": lambda self, content, depth: tables.missing(content),
    "x": lambda self, content, depth: self._array(content, depth)[()],
    "n": Incoming._array,
    "a": Incoming._object_array,
    "t": Incoming._tensor,
    "y": Incoming._text,
    **{kind: _reader_of_tables(kind) for kind in tables.KINDS},
}


def _shape(shape: list, item_bytes: int, buffer_bytes: int) -> tuple[int, ...]:
    """A shape from outside, checked: few dimensions, none negative, and exactly as large as the buffer."""
    if not (isinstance(shape, list) and len(shape) <= MAX_DIMENSIONS):
        raise ProtocolError("not a shape")
    total = item_bytes
    for extent in shape:
        if type(extent) is not int or not 0 <= extent <= MAX_VALUE_BYTES:
            raise ProtocolError("not a shape")
        total *= extent
    if total != buffer_bytes:
        raise ProtocolError(f"shape {shape} needs {total} bytes, the buffer has {buffer_bytes}")
    return tuple(shape)
