"""What reads the bytes of a worker: whatever they are, it refuses them with one `ProtocolError`, soon and in little memory."""

import re
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import msgspec
import numpy as np
import pytest
from attacks.decoders import DECODERS, OneReply, as_wrapped, examples
from attacks.tally import FUZZED
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.errors import ProtocolError
from grader.sandbox.codec import READING_SECONDS, Incoming, Outgoing
from grader.sandbox.frames import FrameReader, send_frame
from grader.sandbox.remote import Remote

FUZZ_RUNS = 30_000
FUZZ_SEED = 1
"""Of the runs that decide about a change; other seeds are for whoever looks for more, by `fuzz.py`."""


def refuse(*_: object) -> object:
    raise ProtocolError("no references here")


def incoming(tree: object, *buffers: bytes) -> object:
    return Incoming([bytearray(buffer) for buffer in buffers], refuse).value(msgspec.msgpack.encode(tree))


UINT8 = {"n": [0, "uint8", [4]]}
ONE_ROW = ["range", None, [0, 1, 1]]
HUGE = ["range", None, [0, 10**12, 1]]
WIDE = ["range", None, [0, 10**6, 1]]
COLLIDING = [{"c": [-1000003.0 * i, float(i)]} for i in range(60_000)]  # every such number has the hash 0


@pytest.mark.parametrize(
    "tree",
    [
        {"I": HUGE},
        {"S": [None, HUGE, ["numpy", UINT8]]},
        {"F": [WIDE, WIDE, ["block", 1.5]]},  # one number fills 8 TB
        {"F": [["plain", None, ["object", []]], HUGE, []]},
        {"a": ["U", ["x" * 500_000, *["y"] * 20_000], [20_001]]},  # text of fixed width: 40 GB
        {"n": [1, "uint8", [0, 2**39]]},
        {"d": [[key, 1] for key in COLLIDING]},
        {"s": COLLIDING},
        [{"n": [0, "uint8", [4]]}] * 2,  # one buffer, any number of arrays
        {"n": [-2, "uint8", [4]]},
        [{"a": ["U", ["x" * 100_000, *["y"] * 400], [401]]}] * 2,  # 160 MB each
    ],
    ids=["index", "series", "broadcast", "rows", "text", "shape", "dictionary", "set", "twice", "negative", "texts"],
)
def test_few_bytes_do_not_become_much_memory_or_time(tree):
    before = time.process_time()
    with pytest.raises(ProtocolError):
        incoming(tree, b"abcd", b"")
    assert time.process_time() - before < READING_SECONDS + 5  # processor time: the reader's own budget, and one look


@pytest.mark.parametrize("zone", ["dateutil//etc/passwd", "/etc/passwd", "../../etc/passwd", "UTC+99:00", 7, None])
def test_a_time_zone_is_no_path(zone):
    moments = np.array(["2020-01-01"], "datetime64[ns]")
    outgoing = Outgoing(refuse)
    node = {"S": [None, ["range", None, [0, 1, 1]], ["zoned", [zone, outgoing.node(moments)]]]}
    with pytest.raises(ProtocolError):
        Incoming([bytearray(b) for b in outgoing.buffers], refuse).value(msgspec.msgpack.encode(node))


@pytest.mark.parametrize(
    "raw",
    [
        b"\x81\x01\x02",  # a number as a key: its hash could be chosen
        b"\x81\x92\x01\x02\x03",  # a list as a key
        b"\xd6\xff\x00\x00\x00\x01",  # a moment
        b"\xc7\x03\x05abc",  # an extension
        b"\x91\xc7\x03\x05abc",
        b"\xa2\xff\xfe",  # text that is none
        b"\x91" * 100_000 + b"\xc0",
        b"\xdd\xff\xff\xff\xff",  # a list of four thousand million, of which none is there
        b"\xc0\xc0",
    ],
)
def test_what_messagepack_allows_and_the_codec_does_not_write_is_refused(raw):
    with pytest.raises(ProtocolError):
        Incoming([], refuse).value(raw)


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_the_clock_is_looked_at_although_bytes_keep_coming(pair):
    """A drip that never pauses for long would otherwise hold the reader for ever, and so would a flood of answers."""
    ours, theirs = pair
    looks = 0

    def drip():
        nonlocal looks
        looks += 1
        ours.sendall(b"\0")

    for _ in range(7):  # a frame of nothing is eight bytes
        assert FrameReader(theirs).receive(drip) == (b"", [])
    assert looks == 7 * 8
    reader, flood = FrameReader(theirs), []
    for _ in range(100):
        send_frame(ours, b"head", [])
        reader.receive(lambda: flood.append(reader.received))
    assert len(flood) == 100
    assert reader.received == 100 * 12


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=8)
    | st.binary(max_size=8)
)
shapes = st.lists(st.integers(-1, 5), max_size=3)
names = st.sampled_from(["float32", "int64", "bool", "numpy", "object", "category", "zoned", "Int64", "str", "block"])
indexes = st.tuples(st.sampled_from(["plain", "range", "multi"]), scalars, st.deferred(lambda: nodes))


def node(kind: str, content: st.SearchStrategy) -> st.SearchStrategy:
    return st.fixed_dictionaries({kind: content})


def structured(inner: st.SearchStrategy) -> st.SearchStrategy:
    """Nodes that are nearly right: the right kinds in the right places, with one thing or another wrong."""
    columns = st.tuples(names, inner)
    return st.one_of(
        st.lists(inner, max_size=4),
        node("d", st.lists(st.tuples(inner, inner), max_size=4)),
        *(node(kind, st.lists(inner, max_size=4)) for kind in "us"),
        *(node(kind, st.tuples(st.integers(-1, 1), names, shapes)) for kind in "nx"),
        node("t", st.tuples(st.integers(-1, 1), names, shapes, st.booleans())),
        node("a", st.tuples(st.sampled_from("USO"), st.lists(inner, max_size=4), shapes)),
        node("I", indexes),
        node("S", st.tuples(inner, indexes, columns)),
        node("F", st.tuples(indexes, indexes, st.lists(columns, max_size=3) | columns)),
        node("e", st.text("0123456789-T:+", max_size=20)),
        node("i", st.text("0x123456789abcdef-", max_size=20)),
        node("o", st.tuples(st.just("figure"), inner)),
        node("r", st.tuples(st.integers(-1, 3), st.text(max_size=4))),
    )


nodes = st.recursive(scalars, structured, max_leaves=25)


accounts = st.tuples(nodes, nodes, nodes).map(lambda of: {"d": list(map(list, zip(ACCOUNT, of, strict=True)))})
ACCOUNT = ("types", "text", "where")


@settings(max_examples=3000, deadline=None)
@given(
    st.tuples(st.just(1), st.just("ok"), nodes)
    | st.tuples(st.just(1), st.just("raised"), accounts)
    | st.tuples(nodes, nodes, nodes),
    st.binary(max_size=48),
)
def test_a_nearly_right_tree_is_read_or_refused(tree, buffer):
    header = msgspec.msgpack.encode(tree)
    DECODERS["reply"](len(header).to_bytes(2, "little") + header + buffer)


@pytest.mark.parametrize("outcome", [{"a": ["U", ["a", "bc"], [2]]}, {"a": ["U", ["ok", "ok"], [2]]}, None, ["ok"]])
def test_only_a_word_is_an_outcome(outcome):
    header = msgspec.msgpack.encode([1, outcome, None])
    with pytest.raises(ProtocolError, match="expected an outcome"):
        Remote(OneReply(header, []), as_wrapped).call("module", ["function"], [], {})


@pytest.mark.parametrize("name", DECODERS)
def test_any_bytes_are_read_or_refused(name):
    @settings(max_examples=500, deadline=None)
    @given(st.binary(max_size=400))
    def decode(data):
        DECODERS[name](data)

    decode()


@pytest.mark.parametrize("name", DECODERS)
def test_a_right_input_with_a_few_wrong_bytes_is_read_or_refused(name):
    places = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6)

    @settings(max_examples=1000, deadline=None)
    @given(st.sampled_from(examples(name)), places, st.integers(0, 10_000))
    def decode(example, changes, cut):
        damaged = bytearray(example)
        for place, byte in changes:
            damaged[place % len(damaged)] = byte
        DECODERS[name](bytes(damaged[: 1 + cut % len(damaged)]))

    decode()


@pytest.mark.slow
@pytest.mark.skipif(find_spec("atheris") is None, reason="there is no atheris for this machine")
@pytest.mark.parametrize("name", DECODERS)
def test_a_fuzzer_that_sees_coverage_finds_nothing(name, request):
    program = Path(__file__).with_name("fuzz.py")
    command = [sys.executable, program, name, str(FUZZ_RUNS), str(FUZZ_SEED)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout[-4000:]  # the exception is told on one, its input on the other
    told = re.search(rf"#{FUZZ_RUNS}\s+DONE\s+cov: (\d+)", done.stdout)
    request.config.stash.setdefault(FUZZED, {})[name] = (FUZZ_RUNS, int(told[1]))
