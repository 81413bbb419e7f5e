"""Who is alike with whom: pairs within groups of the same work, and groups of all who are connected.

A group of the same work is a mapping of its students to the places of their documents.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations


def held_by(same: Sequence[Mapping[str, int]]) -> dict[str, set[int]]:
    """The places of the groups that each student is in: more than one, where attempts are the same as different others'."""
    held: defaultdict[str, set[int]] = defaultdict(set)
    for place, group in enumerate(same):
        for student in group:
            held[student].add(place)
    return held


def same_pairs(same: Sequence[Mapping[str, int]], held: Mapping[str, set[int]]) -> Iterator[tuple[int, int]]:
    """Places of documents that are the same; each two students once."""
    for place, group in enumerate(same):
        for one, other in combinations(sorted(group), 2):
            if min(held[one] & held[other]) == place:
                yield group[one], group[other]


def groups(pairs: Iterable[tuple[str, str]]) -> list[list[str]]:
    """Students who are connected, where there are more than two."""
    group_of: dict[str, set[str]] = {}
    for one, other in pairs:
        merged = group_of.get(one, {one}) | group_of.get(other, {other})
        for student in merged:
            group_of[student] = merged
    found = {id(group): sorted(group) for group in group_of.values() if len(group) > 2}
    return sorted(found.values(), key=lambda group: (-len(group), group))
