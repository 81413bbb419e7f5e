"""Attacks that want the grader or its machine to stand still: bombs of every kind, hangs, floods, replies that cost their
reader dear. Each is bounded by itself, too: about a minute, 300 processes and two gigabytes at most."""

import json

from attacks.attack import SPY, Attack, Plain, hand_in, solution

RAW = """
\"\"\"Answers the next call with bytes that the worker has not encoded, and so has not paid for.\"\"\"

import msgspec

from grader.sandbox.codec import Outgoing

encode = msgspec.msgpack.encode


def reply(body, *buffers):
    honest = Outgoing.header

    def header(self, value):
        Outgoing.header = honest
        self.buffers[:] = map(memoryview, buffers)
        return b"\\x93" + encode(value[0]) + encode("ok") + body

    Outgoing.header = header
"""

LINE = """
\"\"\"The worker's line to whoever grades, found among its descriptors.\"\"\"

import os
import stat


def descriptor():
    for number in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(number).st_mode):
                return number
        except OSError:
            pass
    raise LookupError("no socket")
"""

COLLIDING = """
\"\"\"Integers that the hash tables of pandas cannot tell apart.\"\"\"

import numpy as np


def columns(n):
    high = np.arange(1, n + 1, dtype=np.uint64)
    low = (high ^ high << np.uint64(11) ^ high << np.uint64(22)) & np.uint64(0xFFFFFFFF)
    keys = (high << np.uint64(33) | low).astype(np.int64)
    return np.random.default_rng(0).permutation(keys)
"""


def everything(after: str, *, at: str = "measure", **more: str) -> dict[str, str | bytes]:
    """All tasks solved, and a function of one of them replaced."""
    return hand_in("measure", "learn", "draw", after=after, at=at, **more)


def notebook(*sources: str) -> str:
    """A notebook of code cells, the last of which writes a function of task `measure`."""
    cells = [*sources, "# file: measure.py\ndef total(values):\n    return 0.0\n"]
    code = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in cells]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": code})


def beside_a_notebook(*sources: str) -> dict[str, str | bytes]:
    """Two solved tasks as files; the third is looked for in a notebook."""
    files = {"learn.py": solution("learn"), "draw.py": solution("draw"), "spy.py": SPY}
    return files | {"arena.ipynb": notebook(*sources)}


def nested_finally(depth: int) -> str:
    """Few lines that compile to 2^depth copies of the innermost one."""
    lines = [f"{' ' * level}try: pass\n{' ' * level}finally:" for level in range(depth)]
    return "\n".join([*lines, " " * depth + "f(x)\n"])


PROCESSES = [
    Attack(
        name="fork-bomb",
        tries="forks in every process that it has, for as long as it can",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import os
import time


def total(values):
    end = time.monotonic() + 20
    for _ in range(300):
        try:
            os.fork()
        except OSError:
            time.sleep(0.01)
        if time.monotonic() > end:
            os._exit(1)
    while time.monotonic() < end:
        pass
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="thread-bomb",
        tries="starts threads that spin until no more can be started",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import threading
import time


def spin(end):
    while time.monotonic() < end:
        pass


def total(values):
    end = time.monotonic() + 20
    for _ in range(300):
        try:
            threading.Thread(target=spin, args=(end,), daemon=True).start()
        except RuntimeError:
            pass
    spin(end)
"""
        ),
    ),
    Attack(
        name="exec-bomb",
        tries="starts programs that fork and start themselves again",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after='''
import subprocess
import sys
import time

SOURCE = """
import os, sys, time
if time.time() < float(sys.argv[2]):
    try:
        os.fork()
    except OSError:
        pass
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", sys.argv[1], *sys.argv[1:]])
"""


def total(values):
    subprocess.Popen([sys.executable, "-I", "-S", "-c", SOURCE, SOURCE, str(time.time() + 20)])
    time.sleep(20)
'''
        ),
    ),
    Attack(
        name="pid-hoppers",
        tries="leaves processes behind that live for less than a millisecond, each the child of one that is gone",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after='''
import os
import subprocess
import sys
import time

HOPPER = """
import os, random, time
end = time.monotonic() + 20
while time.monotonic() < end:
    try:
        if os.fork() and random.random() < 0.8:
            os._exit(0)
    except OSError:
        time.sleep(0.001)
"""


def total(values):
    for _ in range(12):
        subprocess.Popen([sys.executable, "-I", "-S", "-c", HOPPER])
    time.sleep(0.3)
    os._exit(1)
'''
        ),
    ),
    Attack(
        name="short-lived-children",
        tries="burns processor time in children that have ended before anybody looks",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import time


def burn(seconds):
    while time.process_time() < seconds:
        pass
    os._exit(0)


def total(values):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        children = [os.fork() or burn(0.05) for _ in range(2)]
        for child in children:
            os.waitpid(child, 0)
"""
        ),
    ),
    Attack(
        name="unwaited-children",
        tries="burns processor time in children whose account nobody is given, since it ignores that they end",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import signal
import time


def burn(seconds):
    while time.process_time() < seconds:
        pass
    os._exit(0)


def total(values):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for _ in range(2):
            os.fork() or burn(0.05)
        time.sleep(0.05)
"""
        ),
    ),
    Attack(
        name="orphaned-loader-workers",
        tries="leaves a data loader's workers behind that ignore signals and wait for ever",
        plain=Plain.UNTRIED,
        earns=80,
        files=everything(
            at="draw",
            after="""
import contextlib
import signal
import time

from torch.utils.data import DataLoader

KEPT = []
honest = read


class Slow:
    def __len__(self):
        return 100

    def __getitem__(self, place):
        time.sleep(5 if place > 3 else 0)
        return place


def cling(number):
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGALRM"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)


def read(folder):
    with contextlib.suppress(OSError, RuntimeError):
        KEPT.append(iter(DataLoader(Slow(), num_workers=3, persistent_workers=True, worker_init_fn=cling)))
        next(KEPT[0])
    return honest(folder)
""",
        ),
    ),
]

MEMORY = [
    Attack(
        name="memory-of-one-process",
        tries="takes memory until there is none",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
def total(values):
    blocks = []
    for _ in range(128):
        blocks.append(bytearray(b"x") * (16 << 20))
    return blocks
"""
        ),
    ),
    Attack(
        name="memory-of-many-processes",
        tries="takes in each of ten processes as much memory as one may have",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import time


def total(values):
    for _ in range(10):
        if os.fork() == 0:
            block = bytearray(b"x") * (200 << 20)
            time.sleep(20)
            os._exit(len(block) % 2)
    time.sleep(20)
"""
        ),
    ),
    Attack(
        name="shared-memory-bomb",
        tries="maps shared memory, which counts as nobody's data",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import mmap
import time


def total(values):
    blocks = [mmap.mmap(-1, 100 << 20) for _ in range(12)]
    for block in blocks:
        block.write(b"x" * (100 << 20))
    time.sleep(20)
"""
        ),
    ),
    Attack(
        name="forgotten-shared-memory",
        tries="fills shared memory and drops its own view of each page, so that no process is seen to hold it",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import mmap
import os
import time

CHUNK = 8 << 20


def total(values):
    block = mmap.mmap(-1, 1200 << 20)
    for place in range(0, len(block), CHUNK):
        block[place : place + CHUNK] = b"x" * CHUNK
        block.madvise(mmap.MADV_DONTNEED, place, CHUNK)
    time.sleep(2)
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="memory-of-other-programs",
        tries="starts programs that share nothing with the warm interpreter, and so are not expected to be small",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import subprocess
import sys
import time

PROGRAM = "import time; block = bytearray(b'x') * (100 << 20); time.sleep(20)"


def total(values):
    for _ in range(16):
        subprocess.Popen([sys.executable, "-I", "-S", "-c", PROGRAM])
    time.sleep(3)
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="memory-by-tensors",
        tries="keeps tensors until there is no memory for another",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import torch


def total(values):
    return torch.stack([torch.ones(4 << 20) for _ in range(100)]).cumsum(0).sum()
"""
        ),
    ),
    Attack(
        name="memory-in-the-background",
        tries="answers rightly at once, while processes that it leaves behind take ever more memory",
        plain=Plain.UNTRIED,
        earns=5,
        files=hand_in(
            after="""
import os
import time


def grow(starting):
    os.read(starting, 1)
    blocks = []
    for _ in range(15):
        blocks.append(bytearray(b"x") * (10 << 20))
        time.sleep(0.05)
    time.sleep(20)
    os._exit(0)


def total(values):
    reading, writing = os.pipe()
    for _ in range(10):
        os.fork() or os.close(writing) or grow(reading)
    os.close(writing)
    return float(np.sum(values))


def refuse(word):
    time.sleep(3)
"""
        ),
    ),
    Attack(
        name="many-mappings",
        tries="maps so many small pieces of memory that looking at what it uses takes long",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import mmap
import os
import time


def total(values):
    pieces = []
    try:
        for _ in range(60_000):
            pieces.append(mmap.mmap(-1, 4096))
            pieces[-1][0] = 1
    except OSError:
        pass
    for _ in range(15):
        if os.fork() == 0:
            time.sleep(20)
    time.sleep(2)
    os._exit(1)
"""
        ),
    ),
]

FILES = [
    Attack(
        name="disk-bomb",
        tries="fills every folder that it may write to with files",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import tempfile


def total(values):
    for number in range(2000):
        for folder in (tempfile.gettempdir(), "/dev/shm", "/var/tmp", "/tmp"):
            try:
                with open(f"{folder}/full-{number}", "wb") as file:
                    file.write(bytes(1 << 20))
            except OSError:
                pass
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="one-big-file",
        tries="writes a single file without end",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os


def total(values):
    try:
        with open("big", "wb") as file:
            for _ in range(1000):
                file.write(bytes(1 << 20))
    finally:
        os._exit(1)
"""
        ),
    ),
    Attack(
        name="sparse-file",
        tries="maps a file that is larger than its file system and writes to all of it",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import mmap
import os
import tempfile


def total(values):
    with tempfile.TemporaryFile() as file:
        os.truncate(file.fileno(), 200 << 20)
        block = mmap.mmap(file.fileno(), 0)
        for place in range(0, len(block), 4096):
            block[place] = 1
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="inode-bomb",
        tries="makes a hundred thousand empty files",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os


def total(values):
    os.mkdir("many")
    try:
        for number in range(100_000):
            os.mknod(f"many/{number}")
    finally:
        os._exit(1)
"""
        ),
    ),
    Attack(
        name="deep-folders",
        tries="nests folders deeper than any path is long, and takes away the right to enter them",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import os


def total(values):
    try:
        for _ in range(5000):
            os.mkdir("d" * 100)
            os.chdir("d" * 100)
        os.chmod("..", 0)
    finally:
        os._exit(1)
"""
        ),
    ),
    Attack(
        name="descriptor-bomb",
        tries="opens files in many processes until none has a descriptor left",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import time


def total(values):
    for _ in range(10):
        if os.fork() == 0:
            break
    kept = []
    try:
        while len(kept) < 2000:
            kept.append(open("/dev/null"))
    except OSError:
        pass
    time.sleep(1)
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="pipe-bomb",
        tries="fills the buffers of as many pipes as it may have",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import fcntl
import os
import time


def total(values):
    for _ in range(4):
        if os.fork() == 0:
            break
    try:
        for _ in range(240):
            _, writing = os.pipe()
            os.set_blocking(writing, False)
            try:
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 1 << 20)
            except OSError:
                pass
            os.write(writing, bytes(1 << 20))
    except OSError:
        pass
    time.sleep(1)
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="socket-buffers",
        tries="fills the buffers of connections with itself, memory that belongs to the kernel",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import socket
import time


def pairs():
    server = socket.create_server(("127.0.0.1", 0))
    for _ in range(60):
        ours = socket.create_connection(server.getsockname())
        yield ours, server.accept()[0]
    for _ in range(80):
        yield socket.socketpair()


def total(values):
    kept = []
    try:
        for pair in pairs():
            kept.append(pair)
            pair[0].setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            pair[0].setblocking(False)
            try:
                while True:
                    pair[0].send(bytes(1 << 16))
            except BlockingIOError:
                pass
    except OSError:
        pass
    time.sleep(1)
    os._exit(1)
"""
        ),
    ),
    Attack(
        name="descriptors-in-flight",
        tries="sends sockets over sockets that nobody reads, and closes all of them",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import socket
import time


def total(values):
    try:
        for _ in range(2000):
            ours, theirs = socket.socketpair()
            socket.send_fds(ours, [b"x" * 1000], [ours.fileno(), theirs.fileno()])
            ours.close()
            theirs.close()
    except OSError:
        pass
    time.sleep(1)
    os._exit(1)
"""
        ),
    ),
]

FLOODS = [
    Attack(
        name="flood-of-lines",
        tries="prints two hundred thousand lines and one of eight megabytes",
        plain=Plain.UNTRIED,
        earns=80,
        files=everything(
            after="""
def total(values):
    for number in range(200_000):
        print(number, "\\x1b[2J\\x1b]0;owned\\x07 <script>alert(1)</script>")
    print("x" * (8 << 20))
    return float(np.sum(values))
"""
        ),
    ),
    Attack(
        name="flood-without-a-line",
        tries="writes NUL bytes and half of a letter to standard error without ever ending a line",
        plain=Plain.UNTRIED,
        earns=80,
        files=everything(
            after="""
import os


def total(values):
    for _ in range(1500):
        os.write(2, bytes(1 << 16))
        os.write(2, b"\\xf0\\x9f" * 100)
    return float(np.sum(values))
"""
        ),
    ),
]

LOOPS = [
    Attack(
        name="loop-in-python",
        tries="loops, deaf to every signal that can be ignored",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import signal
import time


def total(values):
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        try:
            signal.signal(number, lambda *_: None)
        except (OSError, ValueError):
            pass
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass
"""
        ),
    ),
    Attack(
        name="loop-in-sum",
        tries="adds up numbers inside of the interpreter, where no signal is looked at",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
def total(values):
    return sum(range(4 * 10**9))
"""
        ),
    ),
    Attack(
        name="loop-in-a-pattern",
        tries="matches a regular expression that goes back and forth for ever",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import re


def total(values):
    return re.match(r"(a+)+$", "a" * 32 + "b")
"""
        ),
    ),
    Attack(
        name="loop-in-a-power",
        tries="works out a number of thirty million digits",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
def total(values):
    return 7 ** (3 * 10**7) % 1000
"""
        ),
    ),
    Attack(
        name="loop-in-torch",
        tries="multiplies matrices in one call that takes a minute",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import torch


def total(values):
    return float(torch.linalg.matrix_power(torch.eye(3000), 2**40 - 1)[0, 0])
"""
        ),
    ),
]

HANGS = [
    Attack(
        name="sleeps",
        tries="sleeps, which takes no processor time",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import time


def total(values):
    time.sleep(60)
"""
        ),
    ),
    Attack(
        name="waits-for-itself",
        tries="waits for a lock that it holds, with every thread",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import threading

LOCK = threading.Lock()


def total(values):
    LOCK.acquire()
    threading.Thread(target=LOCK.acquire).start()
    LOCK.acquire(timeout=60)
"""
        ),
    ),
    Attack(
        name="stops-itself",
        tries="stops itself by a signal, so that it neither runs nor ends",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import signal


def total(values):
    os.kill(os.getpid(), signal.SIGSTOP)
"""
        ),
    ),
    Attack(
        name="stopped-by-its-child",
        tries="has a child that stops it again and again",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import signal
import time


def total(values):
    parent = os.getpid()
    if os.fork() == 0:
        for _ in range(1000):
            os.kill(parent, signal.SIGSTOP)
            time.sleep(0.02)
        os._exit(0)
    time.sleep(20)
"""
        ),
    ),
    Attack(
        name="sleeps-at-import",
        tries="takes a minute to be imported",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in(
            "measure",
            "learn",
            "draw",
            before="""
import time

time.sleep(60)
""",
        ),
    ),
    Attack(
        name="will-not-go",
        tries="hangs in everything that runs when a process ends",
        plain=Plain.UNTRIED,
        earns=80,
        files=everything(
            at="draw",
            after="""
import atexit
import threading
import time


class Clinging:
    def __del__(self):
        time.sleep(60)


KEPT = [Clinging()]
honest = read


def read(folder):
    atexit.register(time.sleep, 60)
    threading.Thread(target=time.sleep, args=(60,)).start()
    return honest(folder)
""",
        ),
    ),
    Attack(
        name="hung-rank",
        tries="returns on one rank and waits on the other",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            at="learn",
            after="""
import time


def mean_over_ranks(accelerator, values):
    if accelerator.process_index:
        time.sleep(60)
    return float(np.mean(values))
""",
        ),
    ),
    Attack(
        name="dead-rank",
        tries="ends one rank while the other waits for it in a collective operation",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            at="learn",
            after="""
import os
import signal

honest = mean_over_ranks


def mean_over_ranks(accelerator, values):
    if accelerator.process_index:
        os.kill(os.getpid(), signal.SIGKILL)
    return honest(accelerator, values)
""",
        ),
    ),
    Attack(
        name="ranks-that-fork",
        tries="leaves children of both ranks behind that hold the ends of their pipes open",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            at="learn",
            after="""
import os
import time

honest = mean_over_ranks


def mean_over_ranks(accelerator, values):
    for _ in range(4):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    return honest(accelerator, values)
""",
        ),
    ),
    Attack(
        name="hangs-up-and-stays",
        tries="closes its line to whoever grades, and lives on",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import time

import line


def total(values):
    os.close(line.descriptor())
    time.sleep(60)
""",
            line=LINE,
        ),
    ),
    Attack(
        name="sleeps-all-the-time-away",
        tries="sleeps in one function after the other, until the submission's time is over",
        plain=Plain.UNTRIED,
        files=hand_in(
            "draw",
            after="""
import time


def total(*_):
    time.sleep(60)


spread = rmse = standardize = clean = describe = refuse = total
""",
        ),
    ),
    Attack(
        name="works-all-the-time-away",
        tries="spins in one function after the other, until the submission's processor time is used up",
        plain=Plain.UNTRIED,
        files=hand_in(
            "draw",
            after="""
import time


def total(*_):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        pass


spread = rmse = standardize = clean = describe = refuse = total
""",
        ),
    ),
]

REPLIES = [
    Attack(
        name="drips",
        tries="sends its answer one byte at a time, each just before anybody's patience ends",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import time

from grader.sandbox import worker

honest = worker.send_frame


def drip(connection, header, buffers):
    worker.send_frame = honest
    frame = len(header).to_bytes(4, "little") + bytes(4) + header
    for place in range(min(3000, len(frame))):
        connection.send(frame[place : place + 1])
        time.sleep(0.02)


def total(values):
    worker.send_frame = drip
    return [1.5] * 1000
"""
        ),
    ),
    Attack(
        name="drips-for-ever",
        tries="announces a long answer on the socket that it finds, and never comes to its end",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import os
import time

import line


def total(values):
    number = line.descriptor()
    os.write(number, (1 << 20).to_bytes(4, "little") + bytes(4) + b"\\x93")
    for _ in range(3000):
        os.write(number, b"\\x90")
        time.sleep(0.02)
""",
            line=LINE,
        ),
    ),
    Attack(
        name="endless-batches",
        tries="gives batches without end, each at once",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            at="learn",
            after="""
def batches(x, size):
    for _ in range(3_000_000):
        yield x[:size]
""",
        ),
    ),
    Attack(
        name="ever-larger-batches",
        tries="gives batches that grow to just below what a frame may hold, again and again",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            at="learn",
            after="""
def batches(x, size):
    yield x[:size]
    for megabytes in [10, 50, *[200] * 8]:
        yield np.zeros((megabytes << 16, 2))
""",
        ),
    ),
    Attack(
        name="nested-lists",
        tries="answers with millions of empty lists, a byte each to send and much more to hold",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import raw


def total(values):
    n = (4 << 20) - 64
    raw.reply(b"\\xdd" + n.to_bytes(4, "big") + b"\\x90" * n)
""",
            raw=RAW,
        ),
    ),
    Attack(
        name="colliding-keys",
        tries="answers with a dictionary all of whose keys have the same hash",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import raw


def describe(values):
    raw.reply(raw.encode({"d": [[{"c": [-1000003 * i, i]}, None] for i in range(150_000)]}))
""",
            raw=RAW,
        ),
    ),
    Attack(
        name="colliding-columns",
        tries="answers with an empty table whose column names pandas cannot tell apart but one by one",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import colliding


def clean(frame):
    return pd.DataFrame(np.empty((0, 140_000)), columns=colliding.columns(140_000))
""",
            colliding=COLLIDING,
        ),
    ),
    Attack(
        name="colliding-levels",
        tries="answers with an index of levels that take pandas long to number",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import colliding
import raw


def total(values):
    keys = colliding.columns(110_000)
    level = ["numpy", {"n": [0, "int64", [len(keys)]]}]
    raw.reply(raw.encode({"I": ["multi", [None], [level]]}), keys.view(np.uint8))
""",
            colliding=COLLIDING,
            raw=RAW,
        ),
    ),
    Attack(
        name="colliding-categories",
        tries="answers with a column of categories, large integers that all have the hash 0",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
import raw


def total(values):
    n = 110_000
    categories = ["category", [{"i": hex(i * (2**61 - 1) * 8)} for i in range(n)]]
    raw.reply(raw.encode({"S": [None, ["range", None, [0, n, 1]], categories]}))
""",
            raw=RAW,
        ),
    ),
    Attack(
        name="index-out-of-nothing",
        tries="answers with three numbers that stand for an index of a hundred million rows",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
def total(values):
    return pd.RangeIndex(100_000_000)
"""
        ),
    ),
    Attack(
        name="table-out-of-one-number",
        tries="answers with a table that claims to be one number, spread over a hundred million rows",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
class Wide(pd.DataFrame):
    index = property(lambda self: pd.RangeIndex(100_000_000))

    def to_numpy(self, *args, **kwargs):
        return 0.0


def clean(frame):
    return Wide({"a": [0.0], "b": [0.0]})
"""
        ),
    ),
    Attack(
        name="text-as-wide-as-the-widest",
        tries="answers with arrays of short texts and a long one, as long as which NumPy makes all of them",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import raw


def total(values):
    texts = ["x" * 100_000, *["y"] * 590]
    raw.reply(raw.encode([{"a": ["U", texts, [len(texts)]]}] * 6))
""",
            raw=RAW,
        ),
    ),
    Attack(
        name="bytes-that-grow",
        tries="answers with the same array of bytes a hundred times, each byte eight when it is made a number",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            after="""
import raw


def total(values):
    n = 1 << 20
    raw.reply(raw.encode([{"n": [0, "uint8", [n]]}] * 150), bytes(n))
""",
            raw=RAW,
        ),
    ),
    Attack(
        name="figure-of-copies",
        tries="answers with a figure of many lines that all name the same bytes",
        plain=Plain.UNTRIED,
        earns=75,
        files=everything(
            at="draw",
            after="""
from grader.sandbox.codec import Outgoing

honest = Outgoing.array


def plot(values):
    figure, axes = plt.subplots()
    for _ in range(150):
        axes.plot([0])

    def array(self, values):
        if not self.buffers:
            self.buffers.append(memoryview(bytes(1 << 20)))
        return [0, "uint8", [1 << 19, 2]]

    Outgoing.array = array
    return figure


def read(folder):
    Outgoing.array = honest
    return sum(float(line) for line in Path(folder, "numbers.txt").read_text().split())
""",
        ),
    ),
    Attack(
        name="handles-without-end",
        tries="answers with a quarter of a million objects that have to be asked for one by one",
        plain=Plain.UNTRIED,
        earns=75,
        may_cost_itself=True,
        files=everything(
            after="""
def total(values):
    return [object() for _ in range(250_000)]
"""
        ),
    ),
    Attack(
        name="long-words",
        tries="raises and titles with megabytes of text that is made to keep a pattern busy",
        plain=Plain.UNTRIED,
        earns=65,
        files=everything(
            after="""
def total(values):
    raise type("E" * 100_000, (ValueError,), {})("(measure.py, line " * 500_000)


def spread(values):
    raise ValueError("(" + "a" * 8_000_000)
"""
        )
        | {
            "draw.py": solution("draw")
            + """

def plot(values):
    figure, axes = plt.subplots()
    axes.plot(values)
    axes.set_title("(" * 1_000_000 + "a" * 1_000_000)
    return figure
"""
        },
    ),
]

SOURCES = [
    Attack(
        name="twelve-megabytes-of-source",
        tries="hands in a file of a million statements",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in("measure", "learn", "draw", before="number = 1\n" * (12 << 20 >> 4)),
    ),
    Attack(
        name="few-lines-that-compile-to-many",
        tries="nests `finally`, whose body is compiled twice at every level",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in("measure", "learn", "draw", before=nested_finally(18)),
    ),
    Attack(
        name="deep-expression",
        tries="nests an expression deeper than any parser's stack",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in(
            "measure", "learn", "draw", before=f"number = {'-' * 200_000}1\nlists = {'[' * 90}{'not ' * 90_000}1"
        ),
    ),
    Attack(
        name="long-constant",
        tries="has constants of a gigabyte worked out as soon as it is imported",
        plain=Plain.UNTRIED,
        earns=45,
        files=hand_in("measure", "learn", "draw", before='word = "a" * 10**9\nnumber = 1 << (1 << 33)'),
    ),
    Attack(
        name="many-odd-files",
        tries="hands in hundreds of files whose long names are patterns, options, markup and other scripts",
        plain=Plain.UNTRIED,
        earns=80,
        files=hand_in(
            "measure",
            "learn",
            "draw",
            **{
                f"{'deep (a+)+$ [^x]*/' * 30}--rm -rf $(id) `id` <b>%s{{0}} \u202e{number}.py": "(" * 1000
                for number in range(400)
            },
        ),
    ),
    Attack(
        name="notebook-of-small-bombs",
        tries="hands in a notebook whose few short cells take gigabytes to compile, by whoever makes modules of them",
        plain=Plain.UNTRIED,
        earns=45,
        files=beside_a_notebook(*[nested_finally(18)] * 12),
    ),
    Attack(
        name="notebook-of-many-files",
        tries="hands in a notebook that stands for a hundred files, each of which gets the whole of it",
        plain=Plain.UNTRIED,
        earns=45,
        files=beside_a_notebook(*(f"# file: part_{number}.py\n" + "x=1\n" * 500 for number in range(100))),
    ),
]

CRASHES = [
    Attack(
        name="segmentation-fault",
        tries="reads from address 0",
        plain=Plain.ENDS,
        earns=75,
        files=everything(
            after="""
import ctypes


def total(values):
    return ctypes.string_at(0)
"""
        ),
    ),
    Attack(
        name="overflows-the-stack",
        tries="recurses by way of C until the stack is used up",
        plain=Plain.ENDS,
        earns=75,
        files=everything(
            after="""
import sys


def total(values):
    sys.setrecursionlimit(10**8)
    return next(map(total, [values]))
"""
        ),
    ),
    Attack(
        name="aborts",
        tries="aborts its process",
        plain=Plain.ENDS,
        earns=75,
        files=everything(
            after="""
import os


def total(values):
    os.abort()
"""
        ),
    ),
    Attack(
        name="kills-itself",
        tries="ends its process by the signal that the kernel and the watch use",
        plain=Plain.ENDS,
        earns=75,
        files=everything(
            after="""
import os
import signal


def total(values):
    os.kill(os.getpid(), signal.SIGKILL)
"""
        ),
    ),
]

ATTACKS = [*PROCESSES, *MEMORY, *FILES, *FLOODS, *LOOPS, *HANGS, *REPLIES, *SOURCES, *CRASHES]
