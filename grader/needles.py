"""Telling lines of hidden texts, and how they are found in released ones.

Texts are compared without white space, comment signs and trailing comments, so that wrapping or commenting out hides
nothing. A line that a stub shows is not telling, nor is an import. Else there are two measures:

- One line, if it is long enough to be no coincidence and does more than open a block, in what its own project hands out for
  reading and writing: stubs, handout, notebook, declaration.
- A run of lines that follow each other, in every released file: also in self-checks and `main.py`, which play other tasks
  or call the same functions in the same words, and whose hints may say the one line that was meant.
"""

import bisect
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from grader.stubs import GIVEN

LINE = 24
"""Characters, without white space, from which on one line is telling."""
RUN = 3
"""Lines of a run."""

_IMPORT = re.compile(r"[#>\s]*(from|import)\s")
_TRAILING_COMMENT = re.compile(r"\s{2,}#.*$")


@dataclass(frozen=True)
class Page:
    """The text of one released file, or of one cell of a notebook."""

    file: str
    prefix: str
    lines: tuple[str, ...]

    @cached_property
    def squeezed(self) -> tuple[str, list[int]]:
        """All lines without what does not count, as one text, and where in it each begins."""
        starts, parts, length = [], [squeeze(line) for line in self.lines], 0
        for part in parts:
            starts.append(length)
            length += len(part)
        return "".join(parts), starts

    def place(self, number: int) -> str:
        """`line 12`, or `cell 3, line 4`; lines are counted from 1."""
        return f"{self.prefix}line {number}"


@dataclass(frozen=True)
class Needle:
    """Squeezed text that must not be found."""

    text: str
    what: str
    source: str
    """Where it is from: the file's path, `:` and the line."""
    project: str = ""
    """Whose files for reading and writing it is looked for in; empty: everywhere."""

    def counts_in(self, file: str) -> bool:
        """Whether finding it in this released file tells anything."""
        path = PurePosixPath(file)
        plays_a_part = path.name in (GIVEN, "conftest.py") or path.name.startswith("test_")
        return not self.project or (path.parts[:2] == ("assignments", self.project) and not plays_a_part)


def squeeze(line: str) -> str:
    """A line without white space, signs of comment or quotation before it, and the comment after it."""
    bare = line.strip().lstrip("#> \t")
    return re.sub(r"\s+", "", _TRAILING_COMMENT.sub("", bare))


def pages_of(file: str, content: bytes) -> list[Page]:
    """A file's text; of a notebook each cell, of other JSON its strings; nothing of binary data."""
    try:
        text = content.decode()
        tree = json.loads(text) if file.endswith((".json", ".ipynb")) else None
    except ValueError:
        return [] if b"\0" in content else [Page(file, "", tuple(content.decode("latin-1").splitlines()))]
    if tree is None:
        return [Page(file, "", tuple(text.splitlines()))]
    if isinstance(tree, dict) and isinstance(tree.get("cells"), list):
        cells = enumerate(tree["cells"], 1)
        return [Page(file, f"cell {number}, ", tuple(_strings(cell))) for number, cell in cells]
    return [Page(file, "strings, ", tuple(_strings(tree)))]


def _strings(tree: object) -> Iterator[str]:
    """The lines of all strings in JSON; a cell's source comes first, so that its lines have their numbers."""
    if isinstance(tree, str):
        yield from tree.splitlines()
    elif isinstance(tree, dict):
        for key in sorted(tree, key=lambda key: key != "source"):
            yield from _strings(tree[key])
    elif isinstance(tree, list) and all(isinstance(part, str) for part in tree):
        yield from "".join(tree).splitlines() if any(part.endswith("\n") for part in tree) else tree
    elif isinstance(tree, list):
        for part in tree:
            yield from _strings(part)


def telling(
    lines: Iterable[tuple[int, str]], shown: str, path: str, project: str, kind: str, run_weight: int
) -> Iterator[Needle]:
    """The telling lines of a hidden text, and its telling runs.

    `shown` is what the stubs show, squeezed; a run needs `run_weight` characters that they do not.
    """
    rows = [(number, squeeze(line)) for number, line in lines if not _IMPORT.match(line)]
    rows = [(number, text) for number, text in rows if text]
    untold = [0 if text in shown else len(text) for _, text in rows]
    for (number, text), length in zip(rows, untold, strict=True):
        if length >= LINE and project and not text.endswith(":"):
            yield Needle(text, f"has a line of {kind}", f"{path}:{number}", project)
    for first in range(len(rows) - RUN + 1):
        text = "".join(text for _, text in rows[first : first + RUN])
        if sum(untold[first : first + RUN]) >= run_weight:
            yield Needle(text, f"has lines of {kind}", f"{path}:{rows[first][0]}")


def find(needles: Iterable[Needle], pages: Iterable[Page]) -> Iterator[tuple[Page, int, Needle]]:
    """Each needle that counts, with the line it begins in; needles are looked up by their first characters."""
    index: dict[str, list[Needle]] = defaultdict(list)
    for needle in needles:
        index[needle.text[:LINE]].append(needle)
    for page in pages:
        text, starts = page.squeezed
        for position in range(len(text) - LINE + 1):
            for needle in index.get(text[position : position + LINE], ()):
                if needle.counts_in(page.file) and text.startswith(needle.text, position):
                    yield page, bisect.bisect_right(starts, position), needle
