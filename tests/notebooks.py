"""Notebooks as students hand them in, for the tests: the handed-out one with its cells filled in from files."""

import ast
from collections.abc import Mapping
from pathlib import Path

from nbformat import NotebookNode

from grader.course import Course
from grader.notebook import read_notebook
from grader.notebook_source import as_text, student_notebook

REAL = Course(Path(__file__).resolve().parents[1])


def read_back(notebook: NotebookNode, name: str) -> dict[str, str]:
    """The task files that the grader reads from a notebook."""
    files = read_notebook(as_text(notebook).encode(), REAL.assignment(name))
    return {file: content.decode() for file, content in files.items()}


def filled_in(name: str, files: Mapping[str, str]) -> NotebookNode:
    """The students' notebook, worked on until it says what `files` say.

    A function goes into the cell that it is handed out in; what a file adds (imports, helpers, other values of what is
    given) into the first cell below it that is for writing, as students do.
    """
    notebook = student_notebook(REAL, name)
    for file, text in files.items():
        parts = _parts(text)
        cells = [cell for cell in notebook.cells if cell.source.startswith(f"%%task {file}\n")]
        given = {part for cell in cells if cell.metadata.nbgrader.locked for part in _parts(cell.source).values()}
        to_write = [cell for cell in cells if cell.metadata.nbgrader.solution]
        own = {cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.grade_id.split("-")[-1] for cell in to_write}
        extra = [part for key, part in parts.items() if key not in own.values() and part not in given]
        for number, cell in enumerate(to_write):
            written = parts.get(own[cell.metadata.nbgrader.grade_id], "")
            body = [*extra, written] if number == 0 else [written]
            cell.source = "\n\n\n".join([f"%%task {file}", *filter(None, body)])
    return notebook


def _parts(text: str) -> dict[str, str]:
    """A module's statements by the name that they define, or by their own text; its docstring is none of them."""
    text = "\n".join(line for line in text.splitlines() if not line.startswith("%%"))
    parts = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        start = min([node.lineno, *(decorator.lineno for decorator in getattr(node, "decorator_list", []))])
        source = "\n".join(text.splitlines()[start - 1 : node.end_lineno])
        parts[getattr(node, "name", source)] = source
    return parts
