"""Where two documents say the same: passages, with the lines of each side."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from grader.similarity.compare import Comparison
from grader.similarity.prints import K, Prints

MOST_PLACES = 20
"""Places of the same k-gram in one document that are tried; what is written more often is the same everywhere."""


@dataclass(frozen=True)
class Lines:
    """Lines of one file, both included, counted from 1."""

    file: str
    first: int
    last: int


@dataclass(frozen=True)
class Match:
    """A passage that both have."""

    number: int
    """From 1, in the order of the left document's files and lines."""
    left: Lines
    right: Lines
    tokens: int


def matches(comparison: Comparison, left: int, right: int) -> list[Match]:
    """The longest passages that two documents share of what counts, in the order of the left one; none overlap there."""
    one, other = comparison.documents[left].prints, comparison.documents[right].prints
    counts, theirs = comparison.active[left], comparison.active[right]
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero(theirs & np.isin(other.grams, one.grams[counts])).tolist():
        places[int(other.grams[place])].append(place)
    found: list[tuple[Lines, Lines, int]] = []
    here = 0
    while here < len(one.grams):
        starts = places.get(int(one.grams[here]), ())[:MOST_PLACES] if counts[here] else ()
        length, there = max(((_run(comparison, left, right, here, start), -start) for start in starts), default=(0, 0))
        if length:
            tokens = length + K - 1
            sides = _lines(one, int(one.at[here]), tokens), _lines(other, int(other.at[-there]), tokens)
            found.append((*sides, tokens))
        here += max(1, length)
    found.sort(key=lambda match: (match[0].file, match[0].first, match[0].last))
    return [Match(number, *match) for number, match in enumerate(found, 1)]


def _run(comparison: Comparison, left: int, right: int, here: int, there: int) -> int:
    """How many k-grams in a row are the same, and count."""
    one, other = comparison.documents[left].prints, comparison.documents[right].prints
    length, most = 0, min(len(one.grams) - here, len(other.grams) - there)
    while (
        length < most
        and one.grams[here + length] == other.grams[there + length]
        and comparison.active[left][here + length]
        and one.at[here + length] == one.at[here] + length
        and other.at[there + length] == other.at[there] + length
    ):
        length += 1
    return length


def _lines(prints: Prints, first: int, tokens: int) -> Lines:
    lines = prints.lines[first : first + tokens]
    return Lines(prints.files[int(prints.file_of[first])], int(lines.min()), int(lines.max()))
