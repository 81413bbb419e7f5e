"""Pairs of documents that share more than what is given and what the class has in common.

A document's *own* code is what lies in k-grams that are neither in the starter nor in most of the class. How similar one
is to another is the part of its own code that the other has, too: it differs by direction, as a short program may lie
whole in a long one. Documents that are the same are named even where all of their code is common.
"""

import hashlib
import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice, pairwise

import numpy as np

from grader.similarity.groups import groups, held_by, same_pairs
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
    identical: bool = False
    """They are the same as far as is compared; the sides then count what the class has in common, too."""

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
    identical: int = 0
    """Of all pairs, those that are the same as far as is compared."""


class Comparison:
    """A class, ready to be compared."""

    def __init__(self, found: Class, at_least: float, common: float = COMMON) -> None:
        self._found, self.documents, self.at_least, self.common = found, found.documents, at_least, common
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
        return [
            student
            for student, (written, own) in self._amounts().items()
            if written >= LEAST_OWN and own < (1 - MOSTLY) * written
        ]

    def discounted(self) -> list[str]:
        """Students of whose code so much is common, and left out, that it could have made a pair."""
        return [student for student, (written, own) in self._amounts().items() if written - own >= LEAST_OWN]

    def _amounts(self) -> dict[str, tuple[int, int]]:
        """Of each student, the tokens beyond the starter, and those of them that are own code."""
        return {
            student: (
                sum(self._written(place)[1] for place in places),
                sum(int(self.own[place].sum()) for place in places),
            )
            for student, places in self.students.items()
        }

    def _written(self, place: int) -> tuple[np.ndarray, int]:
        """(m,) k-grams beyond the starter, and how many tokens are in these alone."""
        prints = self.documents[place].prints
        given = np.isin(prints.grams, self._given)
        return ~given, int((prints.covered(~given) & ~prints.covered(given)).sum())

    def identical(self) -> list[dict[str, int]]:
        """Students who handed in the same beyond the starter, as far as is compared, with the place of each one's document."""
        alike: dict[bytes, dict[str, int]] = {}
        for place, document in enumerate(self.documents):
            beyond, tokens = self._written(place)
            if tokens >= LEAST_OWN:
                digest = hashlib.sha256(np.sort(document.prints.grams[beyond]).tobytes()).digest()
                alike.setdefault(digest, {}).setdefault(document.entry.student, place)
        return [group for group in alike.values() if len(group) > 1]

    @cached_property
    def _whole(self) -> "Comparison":
        """The same class, with what it has in common."""
        return Comparison(self._found, self.at_least, 1) if self.common < 1 else self

    def of(self, *, identical: bool) -> "Comparison":
        """What a pair is looked at with: documents that are the same with all of their code."""
        return self._whole if identical else self

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
    same = comparison.identical()
    best: dict[tuple[str, str], tuple[tuple[float, float], int, int]] = {}
    for one, other in comparison.candidates():
        rank = comparison.rank(one, other)
        if rank is None:
            continue
        left, right = sorted(found.documents[place].entry.student for place in (one, other))
        students = left, right
        if students not in best or rank > best[students][0]:
            best[students] = rank, one, other
    held = held_by(same)
    near = [found for (left, right), found in best.items() if not held.get(left, set()) & held.get(right, set())]
    near_first = heapq.nsmallest(MOST_PAIRS, near, key=lambda one: (-one[0][0], -one[0][1], one[1], one[2]))
    first = [(one, other, True) for one, other in islice(same_pairs(same, held), MOST_PAIRS)]
    first += [(one, other, False) for _, one, other in near_first[: MOST_PAIRS - len(first)]]
    identical = sum(1 for _ in same_pairs(same, held))
    findings = Findings(
        at_least,
        len(comparison.students),
        [_pair(comparison, *pair) for pair in first],
        identical + len(near) - len(first),
        groups(chain(best, *(pairwise(group) for group in same))),
        identical,
    )
    return comparison, findings


def _pair(comparison: Comparison, one: int, other: int, identical: bool) -> Pair:
    seen = comparison.of(identical=identical)
    return Pair(seen.side(one, other), seen.side(other, one), identical)


def _lines(prints: Prints, chosen: np.ndarray) -> int:
    """How many lines the chosen tokens stand on."""
    return len(set(zip(prints.file_of[chosen].tolist(), prints.lines[chosen].tolist(), strict=True)))
