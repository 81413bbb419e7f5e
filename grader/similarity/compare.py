"""Pairs of documents that share more than what is given and what the class has in common.

A document's *own* code is what lies in k-grams that are neither in the starter nor in most of the class. How similar one
is to another is the part of its own code that the other has, too: it differs by direction, as a short program may lie
whole in a long one.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from grader.similarity.index import candidates
from grader.similarity.prints import Prints
from grader.similarity.reading import Class, by_student

COMMON, COMMON_AT_LEAST = 0.5, 10
"""A k-gram that more than this part of the students has, and so many of them, is common: an idiom, or a worked example."""
MOSTLY = 0.5
"""Part of a student's code from which on it is worth a word that it is common."""
LEAST_OWN = 100
"""Tokens, some ten lines: what is shorter says nothing by being equal."""
LEAST_IN_FILE = 150
MOST_PAIRS = 2000


@dataclass(frozen=True)
class Share:
    """How much of one file the other document has."""

    file: str
    similarity: float
    tokens: int
    """Of its own code, shared or not."""


@dataclass(frozen=True)
class Side:
    """One of two documents, as the other sees it."""

    place: int
    """Among the documents."""
    similarity: float
    """Part of its own code that the other has, from 0 to 1."""
    lines: int
    """Shared lines of its own code."""
    own_lines: int
    files: Sequence[Share]
    """Those that share anything, the most alike first."""


@dataclass(frozen=True)
class Pair:
    """Two documents of different students that are alike."""

    left: Side
    right: Side

    @property
    def similarity(self) -> float:
        """The larger of the two."""
        return max(self.left.similarity, self.right.similarity)

    @property
    def files(self) -> list[tuple[str, float]]:
        """Files that share anything, and how alike they are at most, seen from either side; the most alike first."""
        most: dict[str, float] = {}
        for share in (*self.left.files, *self.right.files):
            most[share.file] = max(share.similarity, most.get(share.file, 0))
        return sorted(most.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True)
class Findings:
    """What the comparison of a class has found."""

    at_least: float
    students: int
    pairs: Sequence[Pair]
    """The most alike first; of two students' attempts, those that are most alike."""
    more: int = 0
    """Pairs beyond these."""
    groups: Sequence[Sequence[str]] = ()
    """More than two students who are connected by pairs, the largest group first."""


class Comparison:
    """A class, ready to be compared."""

    def __init__(self, found: Class, at_least: float, common: float = COMMON) -> None:
        self.documents, self.at_least, self.common = found.documents, at_least, common
        self.students = dict(by_student(found.documents))
        self._given = np.unique(found.given.grams)
        ignored = np.union1d(self._given, self._common_grams())
        self.active = [~np.isin(one.prints.grams, ignored) for one in found.documents]
        """(m,) of each: k-grams that count."""
        self.own = [self._own(place) for place in range(len(found.documents))]
        """(n,) of each: tokens of its own code."""
        self._own_by_file = [self._by_file(place, own) for place, own in enumerate(self.own)]
        self._ids, self._held = self._numbered()

    def _numbered(self) -> tuple[list[np.ndarray], np.ndarray]:
        """(m,) of each: its k-grams as numbers from 0 on, equal for equal ones; and a place for each number, all empty."""
        grams = [one.prints.grams for one in self.documents]
        known, numbers = np.unique(np.concatenate([np.zeros(0, "uint64"), *grams]), return_inverse=True)
        ends = np.cumsum([len(part) for part in grams], dtype=int)
        return np.split(numbers.astype("int32"), ends[:-1]), np.zeros(len(known), bool)

    def _by_file(self, place: int, chosen: np.ndarray) -> np.ndarray:
        """How many of the chosen tokens, (n,), are in each file."""
        prints = self.documents[place].prints
        return np.bincount(prints.file_of[chosen], minlength=len(prints.files))

    def _common_grams(self) -> np.ndarray:
        """K-grams of most students."""
        each = [
            np.unique(np.concatenate([self.documents[place].prints.grams for place in places]))
            for places in self.students.values()
        ]
        grams, counts = np.unique(np.concatenate([np.zeros(0, "uint64"), *each]), return_counts=True)
        return grams[counts > max(self.common * len(self.students), COMMON_AT_LEAST - 1)]

    def _own(self, place: int) -> np.ndarray:
        prints, active = self.documents[place].prints, self.active[place]
        return prints.covered(np.ones(len(active), bool)) & ~prints.covered(~active)

    def mostly_common(self) -> list[str]:
        """Students whose code is for the most part what most of the class has, too."""
        named = []
        for student, places in self.students.items():
            written = own = 0
            for place in places:
                prints = self.documents[place].prints
                given = np.isin(prints.grams, self._given)
                written += int((prints.covered(~given) & ~prints.covered(given)).sum())
                own += int(self.own[place].sum())
            named += [student] if written >= LEAST_OWN and own < (1 - MOSTLY) * written else []
        return named

    @cached_property
    def file_threshold(self) -> float:
        """For a single file: halfway from what is asked for to all, as short files are alike more easily."""
        return (1 + self.at_least) / 2

    def side(self, one: int, other: int) -> Side:
        """What `other` has of `one`'s own code."""
        prints, own = self.documents[one].prints, self.own[one]
        shared = self.shared(one, other)
        counts = zip(prints.files, self._by_file(one, shared).tolist(), self._own_by_file[one].tolist(), strict=True)
        files = [Share(name, round(alike / total, 4), total) for name, alike, total in counts if alike]
        files.sort(key=lambda share: (-share.similarity, share.file))
        total = int(own.sum())
        return Side(
            one,
            round(int(shared.sum()) / total, 4) if total else 0.0,
            _lines(prints, shared),
            _lines(prints, own),
            files,
        )

    def shared(self, one: int, other: int) -> np.ndarray:
        """(n,) tokens of `one`'s own code that `other` has."""
        theirs = self._ids[other][self.active[other]]
        self._held[theirs] = True
        alike = self._held[self._ids[one]] & self.active[one]
        self._held[theirs] = False
        return self.documents[one].prints.covered(alike) & self.own[one]

    def rank(self, one: int, other: int) -> tuple[float, float] | None:
        """How alike two documents are: the larger part, and both together; None where they are not worth a look."""
        (first, near), (second, also_near) = self._part(one, other), self._part(other, one)
        return (max(first, second), first + second) if near or also_near else None

    def _part(self, one: int, other: int) -> tuple[float, bool]:
        """The part of `one`'s own code that `other` has, and whether it is enough: as a whole, or in one file."""
        alike, own = self._by_file(one, self.shared(one, other)), self._own_by_file[one]
        total = int(own.sum())
        part = int(alike.sum()) / total if total else 0.0
        in_file = bool(np.any((own >= LEAST_IN_FILE) & (alike >= self.file_threshold * own)))
        return part, in_file or (total >= LEAST_OWN and part >= self.at_least)

    def candidates(self) -> Iterator[tuple[int, int]]:
        """Pairs of different students' documents whose fingerprints let one expect something."""
        for one, other in candidates([document.prints for document in self.documents], self.active, self.at_least):
            if self.documents[one].entry.student != self.documents[other].entry.student:
                yield one, other


def compare(found: Class, at_least: float, common: float = COMMON) -> tuple[Comparison, Findings]:
    """Find the pairs and groups of a class that are alike.

    Args:
        found: the class.
        at_least: similarity from which on a pair is named, above 0 and at most 1.
        common: part of the students from which on what all of them have is left out; with 1 nothing is.
    """
    comparison = Comparison(found, at_least, common)
    best: dict[tuple[str, str], tuple[tuple[float, float], int, int]] = {}
    for one, other in comparison.candidates():
        rank = comparison.rank(one, other)
        if rank is None:
            continue
        left, right = sorted(found.documents[place].entry.student for place in (one, other))
        students = left, right
        if students not in best or rank > best[students][0]:
            best[students] = rank, one, other
    first = heapq.nsmallest(MOST_PAIRS, best.values(), key=lambda one: (-one[0][0], -one[0][1], one[1], one[2]))
    pairs = [Pair(comparison.side(one, other), comparison.side(other, one)) for _, one, other in first]
    return comparison, Findings(at_least, len(comparison.students), pairs, len(best) - len(pairs), _groups(best))


def _groups(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Students who are connected, where there are more than two."""
    group_of: dict[str, set[str]] = {}
    for one, other in pairs:
        merged = group_of.get(one, {one}) | group_of.get(other, {other})
        for student in merged:
            group_of[student] = merged
    groups = {id(group): sorted(group) for group in group_of.values() if len(group) > 2}
    return sorted(groups.values(), key=lambda group: (-len(group), group))


def _lines(prints: Prints, chosen: np.ndarray) -> int:
    """How many lines the chosen tokens stand on."""
    return len(set(zip(prints.file_of[chosen].tolist(), prints.lines[chosen].tolist(), strict=True)))
