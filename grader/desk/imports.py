"""Which tasks a saved file can have changed, read from the imports in a folder's files."""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath

Files = Mapping[str, bytes]
"""Path relative to the folder, with `/` -> content."""


@dataclass(frozen=True)
class Affected:
    """What is to be run: the tasks that were written themselves first, then those that use them."""

    written: tuple[str, ...]
    using: tuple[str, ...] = ()
    collect: bool = False
    """Whether the checks themselves are others now."""

    def __bool__(self) -> bool:
        return bool(self.written or self.using or self.collect)


def changed(before: Files, after: Files) -> list[str]:
    """Files that came, went, or have another content; sorted."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def affected(names: Collection[str], before: Files, after: Files, tasks: Collection[str]) -> Affected:
    """What the change of the files `names` from `before` to `after` asks for; `tasks` in their order.

    A task's file affects its task and all that import it, directly or through others. Any other file is a helper, which
    affects everything: how it is used need not show in an import. So does a file of the checks, which have to be collected
    anew; `main.py`, which uses the tasks and is used by none, affects nothing.
    """
    if any(_is_of_the_checks(name) for name in names):
        return Affected(tuple(tasks), collect=True)
    helpers = [name for name in names if name.removesuffix(".py") not in tasks and name != "main.py"]
    if helpers:
        return Affected(tuple(tasks))
    written = [task for task in tasks if f"{task}.py" in names]
    earlier, later = _users(before), _users(after)  # a file that cannot be read now imported something before
    users = {module: earlier.get(module, set()) | later.get(module, set()) for module in earlier | later}
    reached = _reached({*written, *(["main"] if "main.py" in names else [])}, users)
    return Affected(tuple(written), tuple(task for task in tasks if task in reached and task not in written))


def _is_of_the_checks(name: str) -> bool:
    file = PurePosixPath(name).name
    return file == "conftest.py" or file.endswith(".toml") or (file.startswith("test_") and file.endswith(".py"))


def _users(files: Files) -> dict[str, set[str]]:
    """Module -> modules of the folder that import it."""
    users: dict[str, set[str]] = {}
    for name, source in files.items():
        if not _is_of_the_checks(name) and name.endswith(".py"):
            for imported in imported_modules(source):
                users.setdefault(imported, set()).add(name.removesuffix(".py").replace("/", "."))
    return users


def _reached(start: Collection[str], users: Mapping[str, set[str]]) -> set[str]:
    reached, waiting = set(start), list(start)
    while waiting:
        new = users.get(waiting.pop(), set()) - reached
        reached |= new
        waiting += new
    return reached


@lru_cache(maxsize=256)  # a save changes one file of many, and reading them all takes a tenth of a second
def imported_modules(source: bytes) -> frozenset[str]:
    """Names of modules that a file imports, anywhere in it; none of a file that Python cannot read."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return frozenset()
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            below = f"{node.module}." if node.module else ""
            names |= {node.module or "", *(below + alias.name for alias in node.names)}
    return frozenset(names - {""})
