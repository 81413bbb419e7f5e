"""What is said of the findings: in a terminal, on pages, as JSON. Similarity is a reason to look, not a verdict."""

from collections.abc import Sequence

import msgspec

from grader.similarity.compare import COMMON_AT_LEAST, LEAST_IN_FILE, LEAST_OWN, Comparison, Findings, Pair, Side
from grader.similarity.prints import K
from grader.similarity.reading import name_of

WARNING = (
    "Similarity is a reason to look, not a verdict: who learns from the same book, works through the same example or has the "
    "same tutor writes alike, and who copies well does not show up here. Read both, and hear both."
)
VERSION = 1


def method_of(comparison: Comparison) -> list[str]:
    """How it was compared, in a few paragraphs."""
    common = f", and what more than {comparison.common:.0%} of the students (and at least {COMMON_AT_LEAST}) have"
    return [
        "Each program is read as syntax, without names of its own, texts, comments, docstrings, type hints and layout, and "
        "without statements that do nothing; functions are compared wherever they stand. "
        f"What {K} tokens in a row of both have in common counts as shared.",
        f"Left out is what students received{common if comparison.common < 1 else ''}: what is left is somebody’s own code. "
        "A percentage is the part of somebody’s own code that the other has.",
        f"A pair is named when it reaches the threshold as a whole (from {LEAST_OWN} tokens of own code on, some ten lines), "
        f"or when one file of at least {LEAST_IN_FILE} tokens goes half of the way beyond it; and when both handed in the same "
        f"(from {LEAST_OWN} tokens beyond the starter on), whoever else has it, too.",
    ]


def common_note(comparison: Comparison) -> list[str]:
    """A line where much was left out because most of the class has it."""
    named = comparison.mostly_common()
    if not named:
        return []
    who = ", ".join(named[:5]) + (", …" if len(named) > 5 else "")
    return [
        f"{len(named)} of {len(comparison.students)} students wrote for the most part what most of the class wrote, which is "
        f"left out ({who}): it was shown in class, or handed around."
    ]


def lead_of(comparison: Comparison, findings: Findings) -> str:
    """What was compared, what came of it, and what was left out that could have made more pairs, in a sentence or two."""
    documents, pairs = len(comparison.documents), len(findings.pairs) + findings.more
    same = f", {findings.identical} of them identical" if findings.identical else ""
    return (
        f"{documents} {'entry' if documents == 1 else 'entries'} of {findings.students} "
        f"{'student' if findings.students == 1 else 'students'} compared: {pairs or 'no'} "
        f"{'pair' if pairs == 1 else 'pairs'} alike{same} (from {findings.at_least:.0%} on as a whole, or "
        f"{(1 + findings.at_least) / 2:.0%} of one file), {len(findings.groups) or 'no'} "
        f"{'group' if len(findings.groups) == 1 else 'groups'} of more than two.{_left_out(comparison)}"
    )


def _left_out(comparison: Comparison) -> str:
    count = len(comparison.discounted())
    if not count:
        return ""
    return (
        f" Not counted, but for work that is identical, is what more than {comparison.common:.0%} of the class wrote: of "
        f"{count} {'student' if count == 1 else 'students'} so much that there may be more pairs; --common 1 counts it."
    )


def summary_of(pair: Pair, names: Sequence[str]) -> str:
    """How alike two documents are, in a sentence."""
    left, right = pair.left, pair.right
    if pair.identical:
        return (
            f"{names[0]} and {names[1]} handed in the same beyond what they received, as far as is compared: "
            f"{left.lines} of {left.own_lines} lines and {right.lines} of {right.own_lines}, with what most of the class wrote."
        )
    return (
        f"{names[1]} has {left.similarity:.0%} of {names[0]}’s own code ({left.lines} of {left.own_lines} lines), "
        f"{names[0]} has {right.similarity:.0%} of {names[1]}’s ({right.lines} of {right.own_lines})."
    )


def as_json(assignment: str, comparison: Comparison, findings: Findings, notes: Sequence[str]) -> bytes:
    """All of it as indented JSON, with a version."""
    record = {
        "version": VERSION,
        "assignment": assignment,
        "at_least": findings.at_least,
        "students": findings.students,
        "entries": len(comparison.documents),
        "pairs": [[_side(comparison, side) for side in (pair.left, pair.right)] for pair in findings.pairs],
        "more_pairs": findings.more,
        "identical_pairs": findings.identical,
        "groups": findings.groups,
        "notes": notes,
        "about": WARNING,
    }
    return msgspec.json.format(msgspec.json.encode(record), indent=2)


def _side(comparison: Comparison, side: Side) -> dict[str, object]:
    entry = comparison.documents[side.place].entry
    return {
        "student": entry.student,
        "attempt": entry.attempt,
        "entry": name_of(entry),
        "similarity": side.similarity,
        "shared_lines": side.lines,
        "own_lines": side.own_lines,
        "files": [
            {"file": share.file, "similarity": share.similarity, "own_tokens": share.tokens} for share in side.files
        ],
    }
