"""The house: imports run downwards only, files stay small, and the private rooms know nothing of the public ones."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GRADER = ROOT / "grader"
FLOORS = {
    "aside": 0,
    "errors": 0,
    "exhibits": 0,
    "results": 0,
    "course": 1,
    "archive": 1,
    "attempts": 1,
    "cells": 1,
    "entries": 1,
    "ipynb": 1,
    "notebook": 1,
    "reading": 1,
    "settings": 1,
    "declared": 1,
    "submission": 1,
    "sandbox": 1,
    "suite": 2,
    "wire": 3,
    "watch": 3,
    "grading": 3,
    "database": 3,
    "gradebook": 3,
    "stubs": 3,
    "soundness": 3,
    "notebook_source": 3,
    "release": 3,
    "scaffold": 3,
    "report": 3,
    "needles": 3,
    "leaks": 3,
    "bundle": 3,
    "bundle_texts": 3,
    "nbgrader_course": 3,
    "page": 3,
    "expectations": 3,
    "exports": 3,
    "intake": 3,
    "desk": 3,
    "store": 3,
    "known": 3,
    "settling": 3,
    "late": 3,
    "deadlines": 3,
    "surroundings": 3,
    "similarity": 3,
    "gradescope": 3,
    "host": 4,
    "unconfined": 4,
    "executor": 4,
    "pace": 4,
    "renewal": 4,
    "trusting": 4,
    "autograder": 4,
    "batch": 4,
    "regrading": 4,
    "cluster": 4,
    "cluster_connection": 4,
    "cluster_worker": 4,
    "terminal": 4,
    "doctor": 4,
    "jupyter": 5,
    "cli": 5,
}
FILES = sorted(GRADER.rglob("*.py"))


def room_of(path: Path) -> str:
    return path.relative_to(GRADER).parts[0].removesuffix(".py")


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the grader that a file imports from, anywhere in it."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith("grader.")} & set(FLOORS)


def test_every_room_has_a_floor():
    assert {room_of(path) for path in FILES} - {"__init__"} == set(FLOORS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(GRADER)))
def test_imports_run_downwards(path):
    room = room_of(path)
    if room == "__init__":
        return
    climbing = {other for other in imported_rooms(path) if other != room and FLOORS[other] > FLOORS[room]}
    assert not climbing, f"{path.name} (floor {FLOORS[room]}) imports from above: {climbing}"


def test_the_sandbox_knows_nothing_of_grading():
    for path in (GRADER / "sandbox").rglob("*.py"):
        assert imported_rooms(path) <= {"sandbox", "errors"}, path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(GRADER)))
def test_files_stay_small(path):
    assert len(path.read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(GRADER)))
def test_modules_and_functions_explain_themselves(path):
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "a module begins with what it is for"
    public = [
        node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
    ]
    silent = [node.name for node in public if not ast.get_docstring(node)]
    assert not silent, f"without a docstring: {silent}"


def test_only_the_command_prints():
    for path in FILES:
        calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
        prints = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
        allowed = room_of(path) == "cli" or "sandbox" in path.parts  # the sandbox's own processes report on pipes
        assert allowed or not prints, f"{path.name} prints"


def test_solutions_and_hidden_suites_are_not_imported_by_the_grader():
    for path in FILES:
        text = path.read_text("utf-8")
        assert "import solutions" not in text
        assert "import tests" not in text
