"""Which tasks a saved file affects: its own, those that import it, everything for a helper."""

import os

import pytest

from grader.desk.imports import Affected, affected, changed, imported_modules
from grader.desk.workplace import read_files

TASKS = ("load", "train", "tune")
FILES = {
    "load.py": b"import pandas as pd\n",
    "train.py": b"def train():\n    from load import read\n",
    "tune.py": b"import numpy, train as t\n",
    "main.py": b"import tune\nimport load\n",
    "helper.py": b"",
    "test_public_load.py": b"import train\n",
    "assignment.toml": b"",
}


@pytest.mark.parametrize(
    ("saved", "expected"),
    [
        (["load.py"], Affected(("load",), ("train", "tune"))),
        (["train.py"], Affected(("train",), ("tune",))),
        (["tune.py"], Affected(("tune",))),
        (["train.py", "load.py"], Affected(("load", "train"), ("tune",))),
        (["helper.py"], Affected(TASKS)),
        (["new/helper.py"], Affected(TASKS)),
        (["test_public_load.py"], Affected(TASKS, collect=True)),
        (["conftest.py"], Affected(TASKS, collect=True)),
        (["assignment.toml"], Affected(TASKS, collect=True)),
    ],
)
def test_affected(saved, expected):
    assert affected(saved, FILES, FILES, TASKS) == expected


def test_main_affects_nothing_but_what_imports_it():
    assert not affected(["main.py"], FILES, FILES, TASKS)
    files = FILES | {"tune.py": b"from main import settings\n"}
    assert affected(["main.py"], files, files, TASKS) == Affected((), ("tune",))


def test_an_import_that_was_there_before_counts():
    after = FILES | {"train.py": b"def train(:\n"}
    assert affected(["load.py", "train.py"], FILES, after, TASKS) == Affected(("load", "train"), ("tune",))
    assert affected(["load.py"], FILES, after, TASKS).using == ("train", "tune")


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        (b"import a, b.c as d", {"a", "b.c"}),
        (b"from a import b", {"a", "a.b"}),
        (b"from . import a", {"a"}),
        (b"from .a import b", {"a", "a.b"}),
        (b"if x:\n    def f():\n        import a", {"a"}),
        (b"import (", set()),
        (b"import a\0", set()),
        ("# größer".encode("latin-1"), set()),
    ],
)
def test_imported_modules(source, modules):
    assert imported_modules(source) == modules


def test_changed_sees_contents_and_not_times():
    assert changed(FILES, dict(FILES)) == []
    after = {name: content for name, content in FILES.items() if name != "main.py"} | {"load.py": b"", "new.py": b""}
    assert changed(FILES, after) == ["load.py", "main.py", "new.py"]


def test_files_are_the_folders_own(tmp_path):
    own = ["train.py", "assignment.toml", "package/helper.py"]
    others = ["data/generate.py", ".hidden/x.py", "__pycache__/y.py", "env/lib/z.py", ".#train.py", "notes.txt"]
    for name in [*own, *others, "env/pyvenv.cfg"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    assert read_files(tmp_path) == {name: name.encode() for name in own}
    os.remove(tmp_path / "train.py")
    assert "train.py" not in read_files(tmp_path)
