"""The codec: plain data survives the way there and back, and nothing that arrives can do more than be refused."""

import collections
import contextlib
import datetime
import math
import socket
import struct

import msgspec
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import ProtocolError
from grader.sandbox.codec import Incoming, Outgoing
from grader.sandbox.frames import MAX_BUFFER_BYTES, ConnectionLost, FrameReader, send_frame


def refuse(*_: object) -> object:
    raise ProtocolError("no references here")


def there_and_back(value: object) -> object:
    outgoing = Outgoing(refuse)
    header = outgoing.header(value)
    return Incoming([bytearray(buffer) for buffer in outgoing.buffers], refuse).value(header)


def incoming(tree: object, *buffers: bytes) -> object:
    return Incoming([bytearray(buffer) for buffer in buffers], refuse).value(msgspec.msgpack.encode(tree))


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(max_size=50)
    | st.complex_numbers(allow_nan=False)
)
keys = st.text(max_size=5) | st.integers() | st.tuples(st.integers(), st.booleans())
plain = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(plain)
def test_plain_data_survives(value):
    assert there_and_back(value) == value


@given(plain)
def test_types_survive(value):
    kinds = lambda x: [type(x)] + ([kinds(i) for i in x] if isinstance(x, list | tuple) else [])  # noqa: E731
    assert kinds(there_and_back(value)) == kinds(value)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint16", "int64", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("shape", [(), (0, 3), (5,), (2, 3, 4)])
def test_arrays_survive(dtype, shape):
    values = (np.arange(math.prod(shape)).reshape(shape) % 3).astype(dtype)
    got = there_and_back(values)
    assert got.dtype == values.dtype
    np.testing.assert_array_equal(got, values)
    assert got.shape == shape
    if got.size:
        got.reshape(-1)[0] = 1  # what arrives is the receiver's own


@pytest.mark.parametrize(
    "dtype", [torch.bool, torch.int64, torch.bfloat16, torch.float16, torch.float32, torch.complex64]
)
def test_tensors_survive(dtype):
    values = torch.arange(6).reshape(2, 3).to(dtype).t()  # not contiguous
    got = there_and_back(values)
    assert got.dtype == dtype
    assert torch.equal(got, values)


@pytest.mark.parametrize(
    "view",
    [
        lambda t: t[:1, :, 0],
        lambda t: t[:, -1, :1],
        lambda t: t[:1, -1:, 1:2],
        lambda t: t[1, 2, 3],
        lambda t: t.transpose(0, 2),
        lambda t: t[:, ::2],
        lambda t: t[:1].expand(5, 3, 4),
        lambda t: t[None].to(memory_format=torch.channels_last),
        lambda t: t[:0, :, 0],
        lambda t: torch.complex(t, t).conj()[:1, 0, 0],
    ],
)
def test_views_of_tensors_survive_whatever_their_strides(view):
    """The last of an axis of one has a stride that says nothing, and still counts as contiguous."""
    tensor = view(torch.arange(24.0).reshape(2, 3, 4))
    got = there_and_back(tensor)
    assert (got.shape, got.dtype) == (tensor.shape, tensor.dtype)
    assert torch.equal(got, tensor.resolve_conj())


def test_the_wish_for_gradients_survives():
    assert there_and_back(torch.ones(2, requires_grad=True)).requires_grad


def test_tables_survive():
    zoned = pd.to_datetime(["2020-03-08", "2021-11-07"]).tz_localize("America/New_York")
    table = pd.DataFrame(
        {
            "whole": [1, 2],
            "text": ["x", None],
            "hole": [1.5, np.nan],
            "kind": pd.Categorical(["u", "v"]),
            "day": pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "nullable": pd.array([1, None], dtype="Int64"),
            "zoned": zoned,
            "things": pd.Series([(1, 2), "a"], dtype="object"),
        },
        index=pd.Index([5, 7], name="Id"),
    )
    pd.testing.assert_frame_equal(there_and_back(table), table)
    pd.testing.assert_series_equal(there_and_back(table["text"]), table["text"])
    twice = pd.concat([table["hole"], table["hole"]], axis=1)
    pd.testing.assert_frame_equal(there_and_back(twice), twice)
    levels = pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["x", "y"])
    pd.testing.assert_index_equal(there_and_back(levels), levels)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "UTC+05:45", "UTC-03:30"])
def test_time_zones_survive(zone):
    moments = pd.Series(pd.to_datetime(["2020-03-08", "2021-11-07"]).tz_localize("UTC").tz_convert(zone))
    got = there_and_back(moments)
    assert list(got) == list(moments)
    assert [moment.utcoffset() for moment in got] == [moment.utcoffset() for moment in moments]


class LyingFloat(float):
    def __eq__(self, other):
        return True

    __hash__ = float.__hash__


class LyingArray(np.ndarray):
    def __array_function__(self, *args, **kwargs):
        return True


def test_subclasses_arrive_as_plain_types():
    assert type(there_and_back(LyingFloat(2.0))) is float
    assert there_and_back(LyingFloat(2.0)) != 3.0
    assert type(there_and_back(np.zeros(3).view(LyingArray))) is np.ndarray
    assert type(there_and_back(torch.nn.Parameter(torch.ones(2)))) is torch.Tensor
    assert type(there_and_back(collections.OrderedDict(a=1))) is dict
    assert there_and_back(np.float32(1.5)).dtype == np.float32
    assert there_and_back(datetime.date(2020, 2, 29)) == datetime.date(2020, 2, 29)
    assert there_and_back(np.dtype("float32")) == "float32"
    assert there_and_back(torch.float32) == "torch.float32"


def test_what_is_not_plain_is_referred():
    seen = []
    outgoing = Outgoing(lambda value, write: seen.append(value) or {"r": [1, "thing"]})
    thing = object()
    outgoing.header([1, thing])
    assert seen == [thing]


nodes = st.recursive(
    scalars.filter(lambda x: not isinstance(x, complex | int) or isinstance(x, bool))
    | st.integers(-(2**63), 2**64 - 1),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.sampled_from(list("duiscezxnatSFIyorq")), inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(list("nxt")), st.tuples(st.integers(-1, 2), st.text(max_size=8), inner), max_size=1
        )
    ),
    max_leaves=25,
)


@settings(max_examples=600, deadline=None)
@given(nodes, st.binary(max_size=64))
def test_a_malformed_tree_is_one_protocol_error(tree, buffer):
    with contextlib.suppress(ProtocolError):
        incoming(tree, buffer)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_a_malformed_header_is_one_protocol_error(header):
    with contextlib.suppress(ProtocolError):
        Incoming([], refuse).value(header)


@pytest.mark.parametrize(
    "tree",
    [
        {"n": [0, "float32", [2]]},  # too large for its buffer
        {"n": [0, "float32", [-1]]},
        {"n": [0, "object", [1]]},
        {"n": [7, "uint8", [4]]},
        {"t": [0, "load", [1], False]},
        {"i": "9" * 5000},
        {"x": 3},
        {"d": [[[1], 2]]},  # an unhashable key
        {"z": "__import__"},
        {"S": ["name", ["range", None, [0, 1, 0]], ["numpy", 1]]},
        {"F": [["plain", None, ["object", [1]]], ["range", None, [0, 1, 1]], [["exec", [1]]]]},
        {"zoned": 1},
        {"a": 1, "b": 2},
    ],
)
def test_nonsense_is_refused(tree):
    with pytest.raises(ProtocolError):
        incoming(tree, b"\0\0\0\0")


def test_depth_is_limited():
    tree: object = 1
    for _ in range(200):
        tree = [tree, {}]
    with pytest.raises(ProtocolError):
        incoming(tree)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_frames_survive(pair):
    ours, theirs = pair
    send_frame(ours, b"head", [memoryview(b"abc"), memoryview(b""), memoryview(bytes(1 << 17))])
    header, buffers = FrameReader(theirs).receive()
    assert (header, [bytes(b) for b in buffers]) == (b"head", [b"abc", b"", bytes(1 << 17)])


@pytest.mark.parametrize(
    "announced",
    [
        struct.pack("<II", 2**32 - 1, 0),
        struct.pack("<II", 10, 2**31),
        struct.pack("<IIQ", 4, 1, MAX_BUFFER_BYTES + 1),
        struct.pack("<IIQQ", 4, 2, 2**63, 2**63),
    ],
)
def test_announced_lengths_are_checked_before_memory_is_taken(pair, announced):
    ours, theirs = pair
    ours.sendall(announced)
    with pytest.raises(ProtocolError):
        FrameReader(theirs).receive()


def test_a_closed_connection_is_lost_and_a_slow_one_ticks(pair):
    ours, theirs = pair

    class Enough(Exception):
        pass

    def tick():
        raise Enough

    ours.sendall(b"\4")  # a drip
    with pytest.raises(Enough):
        FrameReader(theirs).receive(tick)
    ours.close()
    with pytest.raises(ConnectionLost):
        FrameReader(theirs).receive()
