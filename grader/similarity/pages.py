"""The findings as pages: an index, and for each pair the two documents side by side, what they share in colour and linked."""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined

from grader.course import Assignment
from grader.errors import UsageError
from grader.similarity.compare import Comparison, Findings, Pair, Side
from grader.similarity.passages import Lines, Match, matches
from grader.similarity.reading import name_of, sources
from grader.similarity.template import INDEX, PAIR
from grader.similarity.words import WARNING, as_json, lead_of, method_of, summary_of

MOST_PAGES = 200
MOST_LINES, LONGEST_LINE = 4000, 1000
"""Of one file that are shown."""
COLOURS = 6
MOST_NAMED = 3


def write_pages(
    out: Path, assignment: Assignment, comparison: Comparison, findings: Findings, notes: Sequence[str]
) -> Path:
    """Write index, pairs and JSON into a new folder, whole or not at all: aside first, then renamed.

    Returns:
        The index.

    Raises:
        UsageError: the folder is there already, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out}: there already; remove it, or name another folder with --out.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as scratch:
            aside = Path(scratch, "pages")
            (aside / "pairs").mkdir(parents=True)
            for number, pair in enumerate(findings.pairs[:MOST_PAGES], 1):
                page = pair_page(assignment, comparison, pair)
                (aside / _page_of(number)).write_text(page, "utf-8", errors="replace")
            index = index_page(assignment, comparison, findings, notes)
            (aside / "index.html").write_text(index, "utf-8", errors="replace")
            (aside / "similarity.json").write_bytes(as_json(assignment.name, comparison, findings, notes))
            os.replace(aside, out)
    except OSError as error:
        raise UsageError(f"{out}: expected to write the pages there, cannot: {error.strerror}.") from None
    return out / "index.html"


def index_page(assignment: Assignment, comparison: Comparison, findings: Findings, notes: Sequence[str]) -> str:
    """All pairs and groups, and what was not compared."""
    rows = []
    for number, pair in enumerate(findings.pairs, 1):
        names = [name_of(comparison.documents[side.place].entry) for side in (pair.left, pair.right)]
        sides = [
            {"percent": _percent(side), "lines": side.lines, "own_lines": side.own_lines}
            for side in (pair.left, pair.right)
        ]
        most = [] if pair.identical else pair.files[:MOST_NAMED]
        files = [(_shown(file), f"{similarity:.0%}") for file, similarity in most]
        page = _page_of(number) if number <= MOST_PAGES else ""
        rows.append({"names": [_shown(name) for name in names], "sides": sides, "files": files, "page": page})
    beyond = f"{findings.more} more pairs are alike; those above are the most alike." if findings.more else ""
    if len(findings.pairs) > MOST_PAGES:
        beyond = f"The first {MOST_PAGES} pairs have pages of their own. {beyond}"
    return _rendered(
        INDEX,
        title=assignment.title,
        lead=lead_of(comparison, findings),
        warning=WARNING,
        rows=rows,
        more=beyond,
        groups=[_shown(", ".join(group)) for group in findings.groups],
        notes=[_shown(note) for note in notes],
        method=method_of(comparison),
    )


def pair_page(assignment: Assignment, comparison: Comparison, pair: Pair) -> str:
    """Two documents side by side."""
    comparison = comparison.of(identical=pair.identical)
    found = matches(comparison, pair.left.place, pair.right.place)
    names = [_shown(name_of(comparison.documents[side.place].entry)) for side in (pair.left, pair.right)]
    sides = []
    for side, letter, name in ((pair.left, "L", names[0]), (pair.right, "R", names[1])):
        places = [(match.number, match.left if letter == "L" else match.right) for match in found]
        files = list(_files(assignment, comparison, side, places, letter))
        sides.append({"name": name, "files": files})
    return _rendered(
        PAIR,
        names=names,
        summary=summary_of(pair, names),
        warning=WARNING,
        matches=[_jump(match) for match in found],
        sides=sides,
    )


def _files(
    assignment: Assignment, comparison: Comparison, side: Side, places: Sequence[tuple[int, Lines]], letter: str
) -> Iterator[dict[str, Any]]:
    """The files of one side that share anything; the others are named."""
    document = comparison.documents[side.place]
    texts = sources(document.entry, assignment)
    shares = {share.file: share for share in side.files}
    with_matches = {lines.file for _, lines in places}
    given = _given_lines(comparison, side.place)
    for name in sorted(texts, key=lambda name: (name not in with_matches, name)):
        remark = f"{shares[name].similarity:.0%} of its own code" if name in shares else "nothing shared"
        here = [(number, lines) for number, lines in places if lines.file == name]
        lines = list(_marked(texts[name], here, given.get(name, set()), letter)) if here else []
        yield {"name": _shown(name), "remark": remark, "lines": lines}


def _marked(text: bytes, places: Sequence[tuple[int, Lines]], given: set[int], letter: str) -> Iterator[dict[str, Any]]:
    """Lines, with the passage that each belongs to; an anchor where one begins."""
    other = "R" if letter == "L" else "L"
    lines = text.decode("utf-8", "replace").splitlines()
    passage_of: dict[int, int] = {}
    first: dict[int, list[int]] = {}
    for number, span in places:
        first.setdefault(span.first, []).append(number)
        for at in range(span.first, span.last + 1):
            passage_of.setdefault(at, number)
    for number, line in enumerate(lines[:MOST_LINES], 1):
        passage = passage_of.get(number)
        style = f" h{passage % COLOURS}" if passage else " g" if number in given else ""
        yield {
            "number": number,
            "text": _shown(line[:LONGEST_LINE]) or " ",
            "style": style,
            "anchors": [f"{letter}{one}" for one in first.get(number, ())],
            "link": f"{other}{passage}" if passage else "",
        }
    if len(lines) > MOST_LINES:
        yield {"number": "…", "text": f"{len(lines) - MOST_LINES} more lines", "style": " g", "anchors": [], "link": ""}


def _given_lines(comparison: Comparison, place: int) -> Mapping[str, set[int]]:
    """Lines that do not count, by file: what is given or common."""
    prints = comparison.documents[place].prints
    ignored = prints.covered(~comparison.active[place])
    lines: dict[str, set[int]] = {}
    for file, line in zip(prints.file_of[ignored].tolist(), prints.lines[ignored].tolist(), strict=True):
        lines.setdefault(prints.files[file], set()).add(line)
    return lines


def _jump(match: Match) -> dict[str, Any]:
    """A passage in the list above both documents."""
    left, right = match.left, match.right
    there = "" if left.file == right.file else f"{_shown(right.file)} "
    return {
        "number": match.number,
        "colour": match.number % COLOURS,
        "left": f"{_shown(left.file)} {left.first}–{left.last}",
        "right": f"{there}{right.first}–{right.last}",
        "title": f"{match.tokens} tokens",
    }


def _page_of(number: int) -> str:
    return f"pairs/{number:04d}.html"


def _percent(side: Side) -> int:
    return round(100 * side.similarity)


def _shown(text: str) -> str:
    """Text without characters that a browser would obey instead of showing: control and direction marks."""
    return "".join(letter if letter.isprintable() else "�" for letter in text.expandtabs(4))


def _rendered(template: str, **values: Any) -> str:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(values)
