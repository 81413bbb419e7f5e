"""Reading programs for their likeness: what does not matter is gone, what matters stays, and hostile source costs little."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from disguises import write

import grader.similarity.prints as prints_module
import grader.similarity.reader as reader_module
from grader.course import Course
from grader.similarity.compare import compare
from grader.similarity.prints import WINDOW, K, Prints
from grader.similarity.reader import Reader, as_numbers
from grader.similarity.reading import read_class
from grader.similarity.stream import LARGEST_FILE, MOST_NODES, read
from grader.submission import discover

ROOT = Path(__file__).parents[1]
PLAIN = """
import numpy as np

def spread(values, ddof=1):
    total = 0.0
    for value in values:
        total += (value - np.mean(values)) ** 2
    return total / (len(values) - ddof)
"""


def tokens(text: str) -> list[list[str]]:
    return [passage.tokens for passage in read(text.encode()).passages]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("total", "summe").replace("spread", "streuung").replace("value", "wert"),
        PLAIN.replace("import numpy as np", "import numpy as something").replace("np.", "something."),
        PLAIN.replace(
            "def spread(values, ddof=1):", 'def spread(values: list, ddof: int = 1) -> float:\n    """Spread."""'
        ),
        PLAIN.replace("    total = 0.0", "    # start\n    total: float = (0.0)\n    pass\n    unused = 7"),
        PLAIN.replace("    total = 0.0", "    total = 0.0\n    if False:\n        x()\n    while 0:\n        y()"),
        PLAIN.replace("    for", "    print('here we are')\n    'a word'\n    for"),
        PLAIN.replace("    return total", "    try:\n        return total").rstrip()
        + "\n    except Exception:\n        pass\n",
        PLAIN.replace("1", "2").replace("0.0", "0.5"),
    ],
)
def test_what_does_not_matter_is_gone(text):
    assert text != PLAIN
    assert tokens(text) == tokens(PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN.replace("np.mean", "np.median"),
        PLAIN.replace("** 2", "* 2"),
        PLAIN.replace("for value in values:", "while values:"),
        PLAIN.replace("len(values)", "max(values)"),
        PLAIN.replace("0.0", "None"),
    ],
)
def test_what_matters_stays(text):
    assert tokens(text) != tokens(PLAIN)


def test_each_token_knows_its_line():
    (passage,) = read(PLAIN.encode()).passages
    assert [min(passage.lines), max(passage.lines)] == [5, 8]
    assert passage.lines[passage.tokens.index("numpy")] == 7


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (f"{PLAIN}\ndef f(:\n    return\n", "a syntax error in line 10"),
        (f"{PLAIN}\nx = 1\0\n", "a syntax error"),
        (f"{PLAIN}\nx = '\n\n\n", "a syntax error in line 10"),
        (f"{PLAIN}\nx = {'(' * 5000}\n", "a syntax error"),
        (f"{PLAIN}\nx = {'-' * 50_000}1\n", "what Python cannot read"),
        (f"{PLAIN}\nx = {'[' * 150}{']' * 150}{'.a' * 20_000}\n", ""),
    ],
)
def test_around_what_cannot_be_read_the_rest_is(broken, told):
    stream = read(broken.encode())
    assert told in stream.problem
    assert tokens(PLAIN)[-1] in [passage.tokens for passage in stream.passages] or "not compared" in stream.problem


def test_other_encodings_are_read():
    assert (
        read("# -*- coding: latin-1 -*-\nx = 'é'\nprint(x.upper(x, x))\ny = x.upper(x)\n".encode("latin-1")).problem
        == ""
    )
    assert "a syntax error" in read(b"x = '\xe9'\n").problem


def test_too_much_is_named():
    assert "larger than 256 KB" in read(b"x = 1\n" * (LARGEST_FILE // 6 + 1)).problem
    many = read(b"f(a,b)\n" * (MOST_NODES // 5))
    assert many.passages == []
    assert "not compared" in many.problem


def test_nothing_is_executed(tmp_path):
    trap = tmp_path / "ran"
    reader = Reader()
    try:
        found = reader.read({"a.py": f"open({str(trap)!r}, 'w')\nimport antigravity\n".encode()})
    finally:
        reader.close()
    assert not found["a.py"].problem
    assert not trap.exists()


def test_the_process_that_reads_may_end_and_the_rest_is_read(monkeypatch):
    """A file that ends the process is named; the submission's other files, and the next submission, are read."""
    real = reader_module._send

    def send(to, message):
        real(to, message)
        if b"deadly" in message:  # as the parser would, on source that was made for it
            os.kill(reader._process.pid, signal.SIGKILL)

    reader = Reader()
    monkeypatch.setattr(reader_module, "_send", send)
    try:
        found = reader.read({"a.py": PLAIN.encode(), "b.py": b"deadly", "c.py": PLAIN.encode()})
        again = reader.read({"a.py": PLAIN.encode()})
    finally:
        reader.close()
    assert [bool(found[name].problem) for name in ("a.py", "b.py", "c.py")] == [False, True, False]
    assert found["a.py"] == found["c.py"] == again["a.py"] == as_numbers(read(PLAIN.encode()))


def test_time_is_bounded(monkeypatch):
    """The child's own limit of processor time ends it: here a request that never comes to an end."""
    reader = Reader()
    monkeypatch.setattr(reader_module, "WALL_SECONDS", 0.2)
    try:
        found = reader.read({"a.py": b"x = 1\n" * 1000} | {f"b{n}.py": (b"f(a,b)\n" * 11_000) for n in range(30)})
    finally:
        reader.close()
    assert found["b1.py"].problem
    assert len(found) == 31


def test_too_many_files_are_named():
    reader = Reader()
    try:
        found = reader.read({f"{n:03}.py": b"x = 1\n" for n in range(reader_module.MOST_FILES + 2)})
    finally:
        reader.close()
    assert sorted(name for name, one in found.items() if one.problem) == ["060.py", "061.py"]


def test_what_one_submission_may_hold_is_bounded_and_named():
    reader = Reader()
    line = b"f(a, b)\n"
    large = line * (LARGEST_FILE // len(line))
    try:
        found = reader.read({**{f"{n}.py": large for n in range(6)}, "huge.py": large * 50, "last.py": PLAIN.encode()})
    finally:
        reader.close()
    problems = {name: one.problem for name, one in found.items()}
    assert "256 KB" in problems["huge.py"]
    assert "1 MB in all" in problems["5.py"]
    assert "not compared" in problems["0.py"]  # a tree too large, though the file is not


def numbers(text: str) -> Prints:
    return Prints.of({"a.py": as_numbers(read(text.encode()))})


def test_a_shared_run_shares_a_fingerprint():
    """The guarantee of winnowing: whatever stands around it, a run of K + WINDOW - 1 tokens is found."""
    run = "total = max(first(a)) + min(second(b)) - abs(third(c)) * sum(fourth(d))\nif total > 3:\n    use(total)\n"
    for seed in range(40):
        around = np.random.default_rng(seed).permutation(
            ["p(q(r))\n", "s = [t, u]\n", "del v\n", "w.x.y()\n", "z += 1\n"]
        )
        one = numbers("".join(around[:3]) + run + "".join(around[3:]))
        other = numbers(run)
        kept = [set(p.grams[p.winnowed(np.zeros(len(p.grams), bool))].tolist()) for p in (one, other)]
        assert len(other.lines) >= K + WINDOW - 1
        assert kept[0] & kept[1]


def test_winnowing_is_as_the_paper_has_it(monkeypatch):
    """Its figure 2: windows of four hashes, the smallest of each, the rightmost of equals, each place once."""
    monkeypatch.setattr(prints_module, "WINDOW", 4)
    hashes = np.array([77, 74, 42, 17, 98, 50, 17, 98, 8, 88, 67, 39, 77, 74, 42, 17, 98], "uint64")
    prints = Prints(("a.py",), np.ones(40, "uint32"), np.zeros(40, int), hashes, np.arange(17))
    kept = prints.winnowed(np.zeros(17, bool))
    assert hashes[kept].tolist() == [17, 17, 8, 39, 17]
    assert np.flatnonzero(kept).tolist() == [3, 6, 8, 11, 15]


def test_an_empty_and_a_hopeless_class(tmp_path):
    course = Course(ROOT)
    assignment = course.assignment("house_prices")
    write(tmp_path / "ada", {"train.py": ""})
    write(tmp_path / "ben", {"train.py": "\0\0"})
    (tmp_path / "chloe.zip").write_bytes(b"PK nothing")
    found = read_class(discover(tmp_path, assignment), course, assignment, jobs=2)
    assert len(found.documents) == 2
    assert [note.partition(":")[0] for note in found.notes] == ["ben", "chloe"]
    assert not compare(found, 0.01)[1].pairs
    nobody = replace(found, documents=[])
    assert compare(nobody, 0.01)[1].students == 0
