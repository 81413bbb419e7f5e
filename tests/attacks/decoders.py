"""Everything that reads bytes of a student's making, each as a function that may do nothing but read or refuse them."""

import contextlib
import io
import socket
import zipfile
from collections.abc import Callable

import msgspec
import nbformat
import numpy as np
import pandas as pd
import torch  # the first input that needs it should not pay for it

from grader.archive import read_zip
from grader.course import Assignment, Limits, Task
from grader.errors import InvalidSubmission, ProtocolError
from grader.notebook import odd_cells, read_notebook, with_notebook
from grader.sandbox.codec import Incoming, Outgoing
from grader.sandbox.frames import ConnectionLost, FrameReader
from grader.sandbox.remote import Handle, Raised, Remote, Summary
from grader.suite.figures import Figure

TASKS = [Task(number=n, name=name, title=name, checks={"one": 1}) for n, name in enumerate(("train", "draw"), 1)]
ASSIGNMENT = Assignment(name="fuzzed", title="Fuzzed", difficulty="easy", task=TASKS)
SMALL = Limits(submission_mb=1, submission_files=20)
PLAIN = (
    str,
    bytes,
    float,
    int,
    bool,
    type(None),
    complex,
    list,
    tuple,
    set,
    dict,
    np.ndarray,
    np.generic,
    torch.Tensor,
)


class Kept:
    """What stands for a handle."""


def as_wrapped(thing: Handle | Summary) -> object:
    return Figure.from_plain(thing.content) if isinstance(thing, Summary) else Kept()


class OneReply:
    """A channel whose other side always answers the same."""

    def __init__(self, header: bytes, buffers: list[bytearray]) -> None:
        self._reply = header, buffers

    def exchange(self, header: bytes, buffers: list[memoryview]) -> tuple[bytes, list[bytearray]]:
        return self._reply


def halves(data: bytes) -> tuple[bytes, list[bytearray]]:
    """A header, as long as the first two bytes say, and one buffer."""
    at = 2 + int.from_bytes(data[:2], "little") % (len(data) + 1)
    return data[2:at], [bytearray(data[at:])]


def frame(data: bytes) -> None:
    """The stream of a worker that writes these bytes and goes away."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(data[: 1 << 16])
        theirs.close()
        reader = FrameReader(ours)
        with contextlib.suppress(ConnectionLost, ProtocolError):
            while True:
                header, buffers = reader.receive()
                assert len(header) + sum(map(len, buffers)) <= len(data)


def value(data: bytes) -> None:
    """A header and a buffer as plain data."""
    header, buffers = halves(data)
    with contextlib.suppress(ProtocolError):
        assert isinstance(Incoming(buffers, _refuse).value(header), (*PLAIN, *TABLES))


def reply(data: bytes) -> None:
    """A header and a buffer as the answer to a call."""
    with contextlib.suppress(ProtocolError, Raised):
        Remote(OneReply(*halves(data)), as_wrapped).call("module", ["function"], [], {})


def ranks(data: bytes) -> None:
    """A header and a buffer as the answer of two ranks."""
    with contextlib.suppress(ProtocolError, Raised):
        found = Remote(OneReply(*halves(data)), as_wrapped).ranks(2, 1.0, "module", ["function"], [], {})
        assert [type(one) for one in found] == [dict, dict]


def archive(data: bytes) -> None:
    """A zip that was handed in."""
    with contextlib.suppress(InvalidSubmission):
        files = read_zip(data, SMALL)
        assert sum(map(len, files.values())) <= SMALL.submission_mb << 20
        assert not any(path.startswith("/") or ".." in path.split("/") for path in files)


def notebook(data: bytes) -> None:
    """A notebook that was handed in."""
    with contextlib.suppress(InvalidSubmission):
        odd_cells(data)
        read_notebook(data, ASSIGNMENT)
        with_notebook({"work.ipynb": data}, ASSIGNMENT)


def _refuse(kind: str, *_: object) -> object:
    raise ProtocolError(f"no {kind} here")


TABLES = (pd.DataFrame, pd.Series, pd.Index, type(pd.NaT), type(pd.NA))
DECODERS: dict[str, Callable[[bytes], None]] = {
    decode.__name__: decode for decode in (frame, value, reply, ranks, archive, notebook)
}


def examples(name: str) -> list[bytes]:
    """Well-formed inputs, from which a fuzzer learns what goes deep."""
    if name == "archive":
        return [_zip({"train.py": b"x = 1\n"}), _zip({"a/train.py": b"x = 1\n" * 99, "a/b/data.csv": b"1,2\n"})]
    if name == "notebook":
        return [_notebook("x = 1", "%matplotlib inline\nimport train"), _notebook("def f():\n    return 1\nf()")]
    if name == "frame":
        return [b"\4\0\0\0\1\0\0\0\3\0\0\0\0\0\0\0headabc", b"\0" * 16]
    wrap = {"reply": lambda tree: [1, "ok", tree], "ranks": lambda tree: [1, "ok", [{"d": [["value", tree]]}] * 2]}
    return [_message(wrap.get(name, lambda tree: tree), thing) for thing in THINGS]


def _message(wrap: Callable[[object], object], thing: object) -> bytes:
    outgoing = Outgoing(lambda value, write: {"o": ["figure", write(FIGURE)]})
    header = msgspec.msgpack.encode(wrap(outgoing.node(thing)))
    return len(header).to_bytes(2, "little") + header + b"".join(map(bytes, outgoing.buffers[:1]))


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in files.items():
            written.writestr(name, content)
    return buffer.getvalue()


def _notebook(*cells: str) -> bytes:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(f"# {TASKS[0].file}\n{cell}") for cell in cells])
    return nbformat.writes(made).encode()


FIGURE = {
    "title": "t",
    "axes": [
        dict.fromkeys(("title", "xlabel", "ylabel", "xscale", "yscale"), "text")
        | {"legend": ["a"], "ticks": [["1"], ["2"]], "texts": [], "looks": ["#ffffff"]}
        | {"lines": [[[[0.0, 1.0], [1.0, 2.0]], "l"]], "points": [], "bars": [], "images": []}
    ],
}
THINGS = [
    None,
    [1, 2.5, "text", b"bytes", True, 2**70, 1 + 2j],
    {"a": (1, {2}), "b": [[], [{}]]},
    np.arange(6.0).reshape(2, 3),
    torch.ones(2, requires_grad=True),
    np.array(["a", "bc"]),
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
    pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}),
    pd.Series(pd.to_datetime(["2020-01-01", "2021-01-01"]).tz_localize("Europe/Rome"), name="when"),
    pd.Series(pd.Categorical(["u", "v"]), index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)])),
    object(),
]
