"""Code cells: whatever is in them, what is good of it stays as it was written."""

import ast
import importlib
import inspect
import json
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.cells import read_cell
from grader.course import Assignment, Task
from grader.notebook import read_notebook

TASK = Task(number=1, name="train", title="Train", checks={"one": 1.0})
PROJECT = Assignment(name="project", title="Project", difficulty="easy", task=[TASK])


def module(*cells: str) -> str:
    """The task file of a notebook without markers."""
    raw = [{"cell_type": "code", "source": source} for source in cells]
    return read_notebook(json.dumps({"nbformat": 4, "cells": raw}).encode(), PROJECT)["train.py"].decode()


def run(source: str) -> types.SimpleNamespace:
    """What importing a module of this source leaves behind."""
    names: dict[str, object] = {"__name__": "train"}
    exec(compile(source, "train.py", "exec", dont_inherit=True), names)
    return types.SimpleNamespace(**names)


def code(*lines: str) -> str:
    return "\n".join(lines)


def run_train(*cells: str) -> types.SimpleNamespace:
    return run(module(*cells))


@pytest.mark.parametrize(
    "line", ["return 1", "await fetch()", "async for x in y: pass", "z = [a async for a in b]", "nonlocal x"]
)
def test_statements_that_no_module_can_hold_do_no_harm(line):
    assert run_train(code("def train(): return 1"), code(line, "def evaluate(): return 2")).train() == 1


def test_top_level_await_leaves_the_rest_of_its_cell():
    assert run_train(code("data = await fetch()", "async def get(): await x", "def train(): return 1")).train() == 1


def test_strings_comments_and_decorators_survive():
    source = '''
import functools
TEXT = """first
  second
third"""
QUERY = f"""
a {TEXT[:5]}
    b"""
BYTES = b"""x
y"""
@functools.cache
@functools.wraps(len)
def train():
    """Doc
string."""
\tif_tab = 1
    return """
kept""", TEXT, QUERY, BYTES
'''.replace("\tif_tab = 1\n", "    # a comment\n")
    plain = run(source)
    assert run_train(code(*source.split("\n"))).train() == plain.train()


@pytest.mark.parametrize("name", ["argparse", "dataclasses", "inspect", "statistics", "textwrap", "typing", "zipfile"])
def test_definitions_stay_as_they_were_written(name):
    """Long modules of the standard library as cells: every function and class is the same, to the last string."""
    source = inspect.getsource(importlib.import_module(name))

    def definitions(text: str) -> list[str]:
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        tops = [top for node in ast.parse(text).body for top in (node.body if isinstance(node, ast.Try) else [node])]
        return [ast.dump(node) for node in tops if isinstance(node, kinds)]

    assert definitions(source)
    assert definitions(module(source)) == definitions(source)


def test_tabs_and_semicolons_and_unicode_survive():
    ran = run_train(code("a = 'é🎉'; b = 'ü'; a; c = b", "def train():", "\tif a:", "\t\treturn a + b + c"))
    assert ran.train() == "é🎉üü"


def test_future_imports_come_first():
    future = "from __future__ import annotations"
    assert run_train("import math", code(future, "def train(x: Undefined): return 1")).train(0) == 1


# What only IPython understands

MAGICS = [
    "%matplotlib inline\nimport math\n%load_ext autoreload\ny = 1",
    "!pip install torch 'unbalanced\nx = 1",
    "!echo a \\\n  b\nx = 1",
    "if True:\n    %timeit f(x)\n    y = 2",
    "def train():\n    !ls\n    return 1",
    "files = !ls -l\nx = 1",
    "t, u = %timeit -o f()\nx = 1",
    "len?\n?len\nmath.pi??\nx = 1",
    "x = (10\n% 3)\ny = '''\n%not magic\n!neither\n'''\n%time z = 1",
    "s = 'why?'  # really?\nd = {\n'a': 1,\n}\n!ls",
    "x = 1 \\\n% 2\n%pwd",
    "    a = 1\n    b = 2\n",
    "def f(a):\n    return 'a=%s' % a\n%pwd",
    "s = 'it\\'s' + \"%\"\n%pwd",
    "#!shebang\n# %%\nx = 1",
]


@pytest.mark.parametrize("source", MAGICS)
def test_magics_are_told_apart_as_ipython_does(source):
    """IPython's own transformation, with its calls taken out, is the oracle."""
    manager = pytest.importorskip("IPython.core.inputtransformer2").TransformerManager()
    theirs = ast.parse(manager.transform_cell(source))
    cell = read_cell(1, "", source)
    assert not cell.error

    def plain(body: list[ast.stmt]) -> list[str]:
        texts = [ast.unparse(statement) for statement in body if not isinstance(statement, ast.Pass)]
        return [
            line for text in texts for line in text.split("\n") if "get_ipython" not in line and line.strip() != "pass"
        ]

    ours = [node for statement in cell.statements for node in ast.parse(statement.text).body]
    assert plain(ours) == plain(theirs.body)


@pytest.mark.parametrize(
    ("magic", "kept"), [("time", True), ("capture out", True), ("bash", False), ("html", False), ("timeit", False)]
)
def test_cell_magics(magic, kept):
    ran = run_train(code("def explore(): pass"), code("", f"%%{magic}", "def train(): return 1"))
    assert hasattr(ran, "train") is kept


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    "source",
    [
        '"a"' + ".b" * 60_000,
        "-" * 200_000 + "1",
        "(" * 100_000,
        "f" + "()" * 100_000,
        "a" + "+a" * 100_000,
        "if x:\n pass\n" + "elif x:\n pass\n" * 15_000,
        "x = 1\n" * 40_000,
        "%pwd\n" * 50_000,
        '"""' * 80_000 + "\\",
        " " * 200_000 + "?",
        "x = '" * 50_000,
        "lambda:" * 30_000 + "1",
        "x = \0",
        "x = 1\x0c\ny = 2",
        "99" * 5_000,
    ],
)
def test_hostile_code_is_read_in_bounded_time(source):
    """Python's parser refuses these or takes them; a pattern of ours that is quadratic in 256 KB would take hours."""
    assert run_train(code("def train(): return 1"), code(source)).train() == 1


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.text("xy=1+(['\"\\\n\t %!?#:@;é ", max_size=25), max_size=3))
def test_any_cells_leave_the_good_one_whole(sources):
    assert run_train("def train(): return 1", *sources).train() == 1
