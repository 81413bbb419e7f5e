"""Nothing hidden leaves: what is to be released, against solutions, hidden suites and generators, before it is written."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePosixPath

from grader.course import Course
from grader.needles import Needle, Page, find, pages_of, squeeze, telling
from grader.stubs import BEGIN, END, GIVEN, read_solution

RUN_OF_SOLUTION, RUN_OF_HIDDEN = 40, 90
"""Characters that no stub shows in a run of lines. Hidden suites need more: self-checks are written in the same language."""

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class Leak:
    """One hidden thing in one released file."""

    file: str
    place: str
    """`line 12` or `cell 3, line 4`; empty when it is the whole file."""
    what: str
    source: str
    """Where it is from: the file's path, and the line if it is not the whole file."""

    def __str__(self) -> str:
        where = f"{self.file}, {self.place}" if self.place else self.file
        return f"{where}: {self.what} {self.source}"


@dataclass(frozen=True)
class Constant:
    """`NAME = number`, or a tuple or list of numbers, at a hidden module's top."""

    name: str
    values: tuple[Decimal, ...]
    source: str


def find_leaks(released: Mapping[str, bytes], course: Course) -> list[Leak]:
    """Everything hidden in files that are to be released, by their paths in the bundle; one leak at most for a line.

    `released` names a project's files `assignments/<project>/…`. What lies in `data/` there is chosen by name, and is
    looked at as whole files only.
    """
    hidden, kept = _hidden(course), _kept(course)
    pages = [page for file, content in released.items() if "/data/" not in file for page in pages_of(file, content)]
    names = {PurePosixPath(file).name for file in released}
    leaks: dict[tuple[str, str], Leak] = {}
    for leak in (
        *_whole_files(released, kept),
        *_lines(pages, course, hidden),
        *_constants(pages, hidden),
        *_names(pages, kept, names),
    ):
        leaks.setdefault((leak.file, leak.place), leak)
    return list(leaks.values())


def _hidden(course: Course) -> dict[str, str]:
    """Text of hidden suites, and of generators with what they draw from, by path."""
    places = [path for name in course.names for path in course.suite(name).rglob("*")]
    places += [path for pattern in ("*.py", "*/*.py", "*/*.toml") for path in (course.root / "fixtures").glob(pattern)]
    texts = _read(course, (path for path in places if path.suffix in (".py", ".toml")))
    return {path: content.decode("utf-8", "replace") for path, content in texts.items()}


def _kept(course: Course) -> dict[str, bytes]:
    """All files that stay: solutions, what the tests hold for the suites, and fixtures that `data` does not name."""
    places = list((course.root / "tests").glob("*/**/*"))
    for name in course.names:
        public = [course.fixtures(name) / entry for entry in course.assignment(name).data]
        places += [path for path in course.solution(name).rglob("*") if path.name != GIVEN]
        places += [
            path
            for path in course.fixtures(name).rglob("*")
            if not any(path == entry or entry in path.parents for entry in public)
        ]
    return _read(course, places)


def _read(course: Course, places: Iterable[Path]) -> dict[str, bytes]:
    return {
        path.relative_to(course.root).as_posix(): path.read_bytes()
        for path in sorted(places)
        if path.is_file() and "__pycache__" not in path.parts
    }


def _whole_files(released: Mapping[str, bytes], kept: Mapping[str, bytes]) -> Iterator[Leak]:
    by_content = {content: path for path, content in kept.items() if content.strip()}
    for file, content in released.items():
        if content in by_content:
            yield Leak(file, "", "is the same as", by_content[content])


def _lines(pages: list[Page], course: Course, hidden: Mapping[str, str]) -> Iterator[Leak]:
    needles: list[Needle] = []
    shown = {}
    for name in course.names:
        for task in course.assignment(name).task:
            path = f"solutions/{name}/{task.file}"
            given, regions = _parts(read_solution(course, name, task.file))
            shown[path] = "".join(map(squeeze, given))
            for lines in regions:
                needles += telling(lines, shown[path], path, name, "the solution,", RUN_OF_SOLUTION)
    for path, text in hidden.items():
        project = next((name for name in course.names if f"/{name}/" in path), "")
        numbered = enumerate(text.splitlines(), 1)
        needles += telling(numbered, "\n".join(shown.values()), path, project, "the hidden", RUN_OF_HIDDEN)
    for page, number, needle in find(needles, pages):
        yield Leak(page.file, page.place(number), needle.what, needle.source)


def _parts(source: str) -> tuple[list[str], list[list[tuple[int, str]]]]:
    """Lines outside of a solution's regions, and the numbered lines of each region."""
    given: list[str] = []
    regions: list[list[tuple[int, str]]] = []
    inside = False
    for number, line in enumerate(source.splitlines(), 1):
        marker = line.strip()
        if marker in (BEGIN, END):
            inside = marker == BEGIN
            regions += [[]] if inside else []
        elif inside:
            regions[-1].append((number, line))
        else:
            given.append(line)
    return given, regions


def _constants(pages: list[Page], hidden: Mapping[str, str]) -> Iterator[Leak]:
    known = [constant for path, text in hidden.items() if path.endswith(".py") for constant in _own(path, text)]
    for page in pages:
        text = "\n".join(page.lines)
        for constant in known:
            for found in re.finditer(rf"\b{constant.name}\b\W{{0,3}}(?::[^=\n]*)?[=:]\s*([^\n]*)", text):
                numbers = _NUMBER.findall(found[1])[: len(constant.values)]
                if tuple(map(_decimal, numbers)) == constant.values:
                    place = page.place(text.count("\n", 0, found.start()) + 1)
                    yield Leak(page.file, place, f"has the hidden {constant.name} of", constant.source)


def _own(path: str, text: str) -> Iterator[Constant]:
    """A hidden module's constants with three significant digits or more."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            name, value = node.targets[0].id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            name, value = node.target.id, node.value
        else:
            continue
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else [value]
        read = [_decimal(ast.get_source_segment(text, part) or "") for part in parts]
        numbers = [number for number in read if number is not None]
        if numbers and len(numbers) == len(parts) and max(map(_digits, numbers)) >= 3:
            yield Constant(name, tuple(numbers), f"{path}:{node.lineno}")


def _decimal(literal: str) -> Decimal | None:
    """The number that a literal of Python says, if it says one."""
    try:
        return Decimal(literal.replace("_", ""))
    except InvalidOperation:
        return None


def _digits(number: Decimal) -> int:
    return len(number.normalize().as_tuple().digits)


def _names(pages: list[Page], kept: Iterable[str], released: set[str]) -> Iterator[Leak]:
    """Paths of files that stay, anywhere; and in what a project hands out their names, unless a released file has them."""
    by_name: dict[str, list[str]] = {}
    for path in kept:
        by_name.setdefault(PurePosixPath(path).name, []).append(path)
    any_name = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, by_name)) + r")(?!\w)")
    for page in pages:
        project = PurePosixPath(page.file).parts[1] if page.file.startswith("assignments/") else None
        for number, line in enumerate(page.lines, 1) if by_name else ():
            for found in any_name.finditer(line):
                name, before = found[1], line[: found.end()]
                named = project is not None and name not in released
                paths = [p for p in by_name[name] if before.endswith(p) or (named and f"/{project}/" in p)]
                if paths:
                    yield Leak(page.file, page.place(number), "names", paths[0])
