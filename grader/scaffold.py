"""A new project: all that an assignment consists of, small, working and proved sound, to be rewritten piece by piece."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from grader.course import Course
from grader.errors import UsageError
from grader.release import sync

TEMPLATE = Path(__file__).parent / "template"
SUFFIX = ".jinja"
PLACES = {
    "assignment": "assignments/{name}",
    "solutions": "solutions/{name}",
    "fixtures": "fixtures/{name}",
    "hidden": "tests/hidden/{name}",
    "alternatives": "tests/alternatives/{name}",
    "mutants.toml": "tests/mutants/{name}.toml",
    "promises.toml": "tests/promises/{name}.toml",
}
"""Part of the template -> where it goes."""


def start_project(root: Path, name: str, title: str) -> list[Path]:
    """Write a new project into the course at `root`, its stubs and data too; the folders and files that are new.

    Raises:
        UsageError: a name that cannot be one, or something of that name is there already. Nothing is written then.
    """
    if not name.isidentifier() or name != name.lower():
        raise UsageError(f"expected a name such as wind_power, of small letters, digits and _, found {name!r}.")
    if not title.isprintable() or set(title) & set('\\"{}|'):
        raise UsageError(
            f"expected a title in one line, without quotation marks, braces, bars and backslashes, found {title!r}."
        )
    targets = {part: root / place.format(name=name) for part, place in PLACES.items()}
    for path in targets.values():
        if path.exists():
            raise UsageError(f"{path}: there already; remove it, or choose another name.")
    if not TEMPLATE.is_dir():
        raise UsageError(
            f"expected the template of a project in {TEMPLATE}, found none: students' bundles leave it out."
        )
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}.") as scratch:
        made = Course(Path(scratch))
        for file, text in _rendered(name, title):
            (made.root / file).parent.mkdir(parents=True, exist_ok=True)
            (made.root / file).write_text(text, "utf-8")
        subprocess.run([sys.executable, made.fixtures(name) / "generate.py"], check=True)
        sync(made, name, check=False)
        for path in targets.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made.root / path.relative_to(root), path)
    return list(targets.values())


def _rendered(name: str, title: str) -> Iterator[tuple[str, str]]:
    """Path below the course's root, and text, of each file of the template."""
    environment = Environment(undefined=StrictUndefined, keep_trailing_newline=True)
    for source in sorted(TEMPLATE.rglob(f"*{SUFFIX}")):
        part, *rest = source.relative_to(TEMPLATE).parts
        path = "/".join([PLACES[part.removesuffix(SUFFIX)].format(name=name), *rest]).removesuffix(SUFFIX)
        yield path, environment.from_string(source.read_text("utf-8")).render(name=name, title=title)
