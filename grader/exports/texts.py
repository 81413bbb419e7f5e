"""Text for others to read: no control characters, and no formula at the beginning of a cell."""

import re
from collections.abc import Sequence

_UNFIT = re.compile(
    "[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
"""What XML 1.0 forbids or advises against, what a terminal obeys, and what turns the direction of the text around it."""
_FORMULA = re.compile(r"\s*[=+\-@\t\r＝＋－＠]")
_LONGEST_CELL = 4000


def plain(text: str) -> str:
    """`text` with `�` in the place of control characters other than line ends and tabs; it can be encoded in UTF-8."""
    return _UNFIT.sub("�", text.replace("\r\n", "\n"))


def line(text: str) -> str:
    """`plain` text in one line."""
    return " ".join(plain(text).split())


def cell(text: str) -> str:
    """Text for a cell of a CSV file that a spreadsheet opens: one line, and never a formula.

    What a spreadsheet would take for one gets an apostrophe before it, as the field does it.
    Source: https://owasp.org/www-community/attacks/CSV_Injection
    """
    shown = line(text)[:_LONGEST_CELL]
    return f"'{shown}" if _FORMULA.match(text) or _FORMULA.match(shown) else shown


def uncell(text: str) -> str:
    """What `cell` was given, as far as it has put an apostrophe before it."""
    return text[1:] if text[:1] == "'" and _FORMULA.match(text[1:]) else text


def counted(count: int, one: str, many: str = "") -> str:
    """`1 mark`, `2 marks`, `0 entries`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"


def named(names: Sequence[str], between: str = ", ", most: int = 10) -> str:
    """The first of some names, and how many there are besides."""
    more = len(names) - most
    return between.join(line(name) for name in names[:most]) + (f" and {more} more" if more > 0 else "")


def points(value: float | None) -> str:
    """Points for a cell, in as many digits as they have: `7`, `7.5`; empty where there is no mark."""
    return "" if value is None else f"{round(value, 9):.10g}"
