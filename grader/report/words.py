"""How numbers, outcomes and students' words read on a page."""

import math
import re

from markupsafe import Markup

from grader.attempts import due_in_words, lateness
from grader.results import CheckStatus, Standing, SubmissionResult, SubmissionStatus
from grader.settings import Window

NOTHING = "–"
CODE = re.compile(r"(?<!`)`([^`\s](?:[^`\n]*[^`\s])?)`(?!`)")
LONGEST = 2000
OUTCOMES = {
    CheckStatus.PASSED: "passed",
    CheckStatus.FAILED: "failed",
    CheckStatus.NOT_IMPLEMENTED: "not written",
    CheckStatus.UNUSABLE: "unusable",
    CheckStatus.TIMEOUT: "stopped",
    CheckStatus.CRASHED: "crashed",
    CheckStatus.NOT_RUN: "not run",
}
MARKS = {CheckStatus.PASSED: "✓", CheckStatus.NOT_IMPLEMENTED: "·", CheckStatus.NOT_RUN: "·"}
WRONG = "✗"
TROUBLES = (CheckStatus.TIMEOUT, CheckStatus.CRASHED, CheckStatus.UNUSABLE, CheckStatus.NOT_RUN)
"""Outcomes that say more than that the work is not right yet."""


def readable(text: str) -> str:
    """Text without control characters but line breaks, and not longer than a reader would read."""
    cut = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in cut)


def coded(text: str) -> Markup:
    """Readable text, escaped, in which what stands between backticks is code."""
    parts = CODE.split(readable(text))
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def points(value: float | None) -> str:
    """Points as people write them: `7`, `7.5`; `–` where there are none."""
    return NOTHING if value is None else f"{round(value, 2):g}"


def percent(share: float | None) -> str:
    """A share as whole percent; all and none are said of all and none alone."""
    if share is None:
        return NOTHING
    whole = round(100 * share)
    return f"{min(max(whole, 1), 99) if 0 < share < 1 else whole} %"


def seconds(value: float | None) -> str:
    """Seconds, with as many decimals as are worth reading; minutes and hours where there are many."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value >= 600:
        minutes = round(value / 60)
        return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    return f"{value:.0f} s" if value >= 100 else f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"


def correlation(value: float | None) -> str:
    """A correlation with two decimals and a true minus."""
    return NOTHING if value is None else f"{value:.2f}".replace("-", "−")


def many(count: int, one: str, more: str = "") -> str:
    """`1 student`, `2 students`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def not_shown(window: Window, part: str) -> str:
    """How a sentence goes on about a part that is not shown: ` not shown until …`, or without a time where it never is."""
    if part not in window.until:
        return " not shown"
    opens = window.until[part]
    return f" not shown until {due_in_words(opens)}" if opens else " not shown before the due date has passed"


def remarks(result: SubmissionResult) -> str:
    """What is to be said of a submission beside its points, in few words."""
    words = [] if result.status is SubmissionStatus.GRADED else [result.status.value.replace("_", " ")]
    if result.status is SubmissionStatus.GRADED:
        counts = {status: sum(check.status is status for check in result.checks) for status in TROUBLES}
        words += [f"{count} {OUTCOMES[status]}" for status, count in counts.items() if count]
    words += _of_attempts(result.standing)
    if result.status is SubmissionStatus.GRADED and result.message:
        words.append("see its page")
    return ", ".join(words)


def _of_attempts(standing: Standing | None) -> list[str]:
    if standing is None:
        return []
    one, many_ = standing.attempt, len(standing.attempts)
    words = [f"attempt {standing.counting + 1} of {many_}"] if many_ > 1 else []
    words += [f"{lateness(one.seconds_late)} late"] if one.seconds_late else []
    return words + (["an attempt failed in the grader"] if any(other.fault for other in standing.attempts) else [])
