"""The two files of a bundle that no assignment has: how to begin, and what is needed."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from grader.attempts import NO_DEADLINE, due_in_words
from grader.course import Assignment

MARKING_ONLY = frozenset(["alembic", "dulwich", "nbgrader", "sqlalchemy", "tomlkit"])
"""Packages that a gradebook or a release needs, and nobody who works on an assignment."""

_README = """\
# {title}

{table}

You need Python {python} and [uv](https://docs.astral.sh/uv/). The first command sets up everything else by itself, which
means downloading PyTorch, once.

```sh
cd assignments/{first}
uv run grader check      # the self-checks: a scoreboard for each task, and what to do next
uv run grader watch      # the same at each save, without waiting; Ctrl-C ends it
uv run pytest            # the self-checks with all of pytest's options
uv run python main.py    # the whole project on small data, once the tasks are written
```

Without uv: `pip install .` here, in an environment of your own, then the same commands without `uv run`. What the
commands leave behind (`figures/`, `results/`) may stay where it is when you hand in.

1. Read the `README.md` in the assignment's folder: it is the handout.
2. Each task is one file, or two. Every function that says `raise NotImplementedError` is yours, and its docstring is the task.
3. `uv run pytest` in the assignment's folder tries that assignment, here it tries all of them.
4. Hand in the assignment's folder, or a zip of it.

The same work as a notebook: `<assignment>.ipynb` in its folder, with a cell for each function and for the self-checks of
each task. `uv run --with jupyterlab jupyter lab` opens it. Hand in the notebook alone then, or the
folder with it: where a `.py` file is still the stub, the notebook counts.

The self-checks carry no points: hidden checks of the same kind do, on data drawn afresh when you are graded. The points
are in `assignment.toml`. The package `grader` beside this file is what runs the self-checks; nothing in it is to be changed.
"""


_PROJECT = """\
# What the assignments need: `uv run …` sets it up by itself, `pip install .` without uv.
[project]
name = {name}
version = {version}
description = {description}
readme = "README.md"
requires-python = {python}
dependencies = {dependencies}

[project.scripts]
grader = "grader.cli:main"

# `student` and the scoreboard, for the self-checks
[project.entry-points.pytest11]
grader = "grader.suite.plugin"

[build-system]
requires = ["hatchling>=1.25"]
build-backend = "hatchling.build"

[tool.hatch.build.targets.wheel]
packages = ["grader"]

[tool.pytest.ini_options]
{settings}
"""


def read_me(project: Mapping[str, Any], assignments: Sequence[Assignment], course_title: str = "") -> str:
    """The README at the bundle's root, of at least one assignment; `course_title` is that of the course, if it has one."""
    rows = [
        [f"[{one.title}](assignments/{one.name}/README.md)", one.difficulty, f"{one.points:g} + {one.bonus:g}"]
        for one in assignments
    ]
    table = _table(["assignment", "difficulty", "points + bonus"], rows)
    if dated := [one for one in assignments if one.deadline.due]:
        table += "\n\n" + _table(
            ["assignment", "hand in until", "of several attempts", "being late costs"], map(_dates, dated)
        )
    title = assignments[0].title if len(assignments) == 1 else "Assignments"
    title = f"{course_title} · {title}" if course_title else title
    python = project.get("requires-python", ">=3.11")
    return _README.format(title=title, table=table, first=assignments[0].name, python=python)


def _dates(assignment: Assignment) -> list[str]:
    deadline = assignment.deadline
    assert deadline.due
    return [assignment.title, due_in_words(deadline.due), f"the {deadline.counts} counts", deadline.cost]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], "|---" * len(head) + "|", *lines[1:]])


def declaration(text: str, assignment: Assignment) -> str:
    """The text of an `assignment.toml`, with the dates and thresholds that hold this term for those that it declares."""
    import tomlkit  # here alone: what students receive does not need it

    document = tomlkit.parse(text)
    holds = {"thresholds": assignment.thresholds, "deadline": msgspec.structs.asdict(assignment.deadline)}
    silent = {"thresholds": {}, "deadline": msgspec.structs.asdict(NO_DEADLINE)}
    for table, values in holds.items():
        declared = silent[table] | document.get(table, {})
        for key, value in values.items():
            if declared[key] != value:
                document.setdefault(table, tomlkit.table())[key] = value
    return tomlkit.dumps(document)


def project_file(course: Mapping[str, Any], assignments: Sequence[Assignment]) -> str:
    """The bundle's `pyproject.toml`, after the course's own."""
    project = course["project"]
    settings = dict(course.get("tool", {}).get("pytest", {}).get("ini_options", {}))
    settings.pop("pythonpath", None)  # leads to what the course's own tests share
    settings["testpaths"] = ["assignments"]
    return _PROJECT.format(
        name=_toml(project["name"]),
        version=_toml(project.get("version", "0")),
        description=_toml(", ".join(assignment.title for assignment in assignments)),
        python=_toml(project.get("requires-python", ">=3.11")),
        dependencies=_toml([need for need in project["dependencies"] if _package(need) not in MARKING_ONLY]),
        settings="\n".join(f"{key} = {_toml(value)}" for key, value in settings.items()),
    )


def _package(requirement: str) -> str:
    """The normalised name in `SQLAlchemy[asyncio] >=2`."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]).lower()


def _toml(value: str | bool | int | float | list[str]) -> str:
    """A value as TOML writes it: JSON's strings, numbers and lists mean the same there."""
    if isinstance(value, list):
        return "[\n" + "".join(f"    {_toml(part)},\n" for part in value) + "]"
    return json.dumps(value)
