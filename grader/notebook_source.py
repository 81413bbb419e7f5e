"""Each project as a notebook, made from its solutions: for students, and as the source that nbgrader releases.

A task's file is parted into cells at its top-level functions and classes. A cell starts with `%%task train.py`, which runs
it inside of that module (see `grader.jupyter`), so that a notebook behaves as the files do. What students write is in
nbgrader's solution cells, what is given in read-only ones. In nbgrader's source each hidden check is a locked cell with its
points, whose hidden region asks for the result of the same hidden suite; the students' own has self-checks alone.

Source: https://nbgrader.readthedocs.io/en/stable/user_guide/creating_and_grading_assignments.html
"""

import ast
import json
from collections.abc import Iterator, Mapping
from typing import Any

import nbformat
from nbformat import NotebookNode, v4

from grader.cells import DEFINITIONS, last_line
from grader.course import Assignment, Course, Task
from grader.errors import UsageError
from grader.gradebook import cell_name
from grader.stubs import BEGIN, make_stub, read_solution

LOADS, TASK = "%load_ext grader.jupyter", "%%task "
CELLS = {"solution": False, "grade": False, "locked": False, "task": False, "schema_version": 3}


def source_notebook(course: Course, name: str) -> NotebookNode:
    """The instructor's notebook, with solutions, and a cell with hidden lines for each hidden check.

    Raises:
        UsageError: no such assignment, a solution file that cannot be read, or a check that its suite does not declare.
    """
    assignment = course.assignment(name)
    titles = _titles(course, assignment)
    cells = _first_cells(assignment)
    for task in assignment.task:
        source = read_solution(course, name, task.file)
        cells += _module_cells(task, source, source)
        cells += [_check_cell(task, check, titles) for check in task.checks]
    return _notebook(name, cells)


def student_notebook(course: Course, name: str) -> NotebookNode:
    """What students receive without nbgrader: stubs for the solutions, and nothing of a hidden check.

    Raises:
        UsageError: no such assignment, or a solution file that cannot be read or has no sound stub.
    """
    assignment = course.assignment(name)
    cells = _first_cells(assignment)
    for task in assignment.task:
        source = read_solution(course, name, task.file)
        cells += _module_cells(task, source, make_stub(source, assignment, task))
    return _notebook(name, cells)


def as_text(notebook: NotebookNode) -> str:
    """The notebook's file."""
    nbformat.validate(notebook)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _welcome(assignment: Assignment) -> str:
    rows = "\n".join(f"| {task.label} | `{task.file}` | {task.points:g} | {task.title} |" for task in assignment.task)
    return (
        f"# {assignment.title}\n\nThe handout is `README.md`, beside this notebook. Run the next cell first, then go "
        "through the tasks in any order: each waits for none.\n\nA cell that starts with `%%task train.py` belongs to the "
        "module `train`: what it defines can be imported there, as from a file. Replace the line with "
        "`raise NotImplementedError`; `self_check` tries what you have. Once all is written, `%run main.py` in a cell of "
        "your own runs the whole.\n\n"
        f"| Task | Module | Points | |\n|---|---|---:|---|\n{rows}\n"
    )


def _first_cells(assignment: Assignment) -> list[NotebookNode]:
    return [
        _locked(v4.new_markdown_cell(_welcome(assignment)), "welcome"),
        _locked(v4.new_code_cell(LOADS), "load"),
    ]


def _notebook(name: str, cells: list[NotebookNode]) -> NotebookNode:
    # nbformat draws ids at random, and the same source is to give the same file
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
    # listed so that it can be told if one is gone
    modules = [cell.metadata.nbgrader.grade_id for cell in cells if cell.source.startswith(TASK)]
    return v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
            "language_info": {"name": "python"},
            "grader": {"assignment": name, "cells": modules},
        },
    )


def _module_cells(task: Task, source: str, text: str) -> Iterator[NotebookNode]:
    """Heading, the parts of `text`, which is the solution or its stub, and a self-check."""
    module, to_write = ast.parse(text), _to_write(source)
    about = (ast.get_docstring(module) or task.title).removeprefix(f"{task.label} · ")
    heading = f"## {task.label} · `{task.file}`: {task.title} ({task.points:g} points)\n\n{about}\n"
    yield _locked(v4.new_markdown_cell(heading), f"about-{task.name}")
    for number, (name, part) in enumerate(_parts(text, module, to_write), 1):
        kind = {"solution": True} if name else {"locked": True}
        cell = v4.new_code_cell(f"{TASK}{task.file}\n{part}")
        yield _marked(cell, f"{'write' if name else 'given'}-{task.name}-{name or number}", **kind)
    yield _locked(v4.new_code_cell(f'self_check("{task.name}")'), f"try-{task.name}")


def _check_cell(task: Task, check: str, titles: Mapping[str, str]) -> NotebookNode:
    """A locked cell with the check's points; nbgrader has no bonus, where they are 0 (see `grader.gradebook`)."""
    name, points = f"{task.name}.{check}", task.checks[check]
    about = f"# {points:g} {'bonus ' if task.bonus else ''}point{'s' * (points != 1)}: {titles[name]}"
    hidden = ["### BEGIN HIDDEN TESTS", f'graded("{name}")', "### END HIDDEN TESTS"]
    cell = v4.new_code_cell("\n".join([about, *hidden, f'written("{task.name}")']))
    return _marked(cell, cell_name(name), grade=True, locked=True, points=0 if task.bonus else points)


def _to_write(source: str) -> set[str]:
    """Top-level functions and classes with something that students write."""
    lines = source.splitlines()
    return {
        node.name
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and any(line.strip() == BEGIN for line in lines[node.lineno : node.end_lineno])
    }


def _parts(text: str, module: ast.Module, to_write: set[str]) -> Iterator[tuple[str, str]]:
    """The module's text in order: what is to be written by its name, what is given in between together, under ""."""
    lines = text.splitlines()
    place = last_line(module.body[0]) if ast.get_docstring(module) else 0
    for node in module.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name not in to_write:
            continue
        start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)]) - 1
        end = last_line(node)
        while end < len(lines) and lines[end].startswith(" "):  # comments that close a solution belong to it
            end += 1
        if between := "\n".join(lines[place:start]).strip("\n"):
            yield "", between
        yield node.name, "\n".join(lines[start:end])
        place = end
    if rest := "\n".join(lines[place:]).strip("\n"):
        yield "", rest


def _titles(course: Course, assignment: Assignment) -> dict[str, str]:
    """Check -> title, read from the hidden suite without running it."""
    titles = {}
    for path in sorted(course.suite(assignment.name).glob("test_*.py")):
        stem = path.stem.removeprefix("test_")
        task = max(
            (task.name for task in assignment.task if f"{stem}_".startswith(f"{task.name}_")), key=len, default=""
        )
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, DEFINITIONS):
                continue
            for call in node.decorator_list:
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "check":
                    told = {word.arg: word.value for word in call.keywords}
                    own = ast.literal_eval(told["task"]) if "task" in told else task
                    titles[f"{own}.{node.name.removeprefix('test_')}"] = ast.literal_eval(told["title"])
    missing = [f"{task.name}.{check}" for task in assignment.task for check in task.checks]
    missing = [name for name in missing if name not in titles]
    if missing:
        raise UsageError(
            f"expected tests/hidden/{assignment.name} to declare {', '.join(missing)}, found no such checks."
        )
    return titles


def _locked(cell: NotebookNode, name: str) -> NotebookNode:
    return _marked(cell, name, locked=True)


def _marked(cell: NotebookNode, name: str, **told: Any) -> NotebookNode:
    """The cell with nbgrader's metadata."""
    cell.metadata["nbgrader"] = CELLS | {"grade_id": name} | told
    return cell
