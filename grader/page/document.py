"""A page of headings, words, tables and pictures, as one HTML file that needs nothing beside it."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import ClassVar

from jinja2 import Environment, StrictUndefined

from grader.page.template import TEMPLATE

NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One value of a table."""

    text: str
    """As it is read, rounded."""
    number: str | None = None
    """All of its digits, for whoever reads the page by machine; None for what is no number."""

    @classmethod
    def of(cls, value: object, form: str = "{}") -> "Cell":
        """A value in a form of `str.format`, which numbers alone take; None has no value."""
        if value is None or value == "":
            return cls(NOTHING if value is None else "")
        if not isinstance(value, Real) or isinstance(value, bool):
            return cls(str(value))
        plain = (
            value.item() if hasattr(value, "item") else value
        )  # NumPy's float64 is a float, and its repr is not one's
        return cls(form.format(plain), repr(plain))


@dataclass(frozen=True)
class Words:
    """A paragraph."""

    kind: ClassVar[str] = "words"
    text: str


@dataclass(frozen=True)
class Table:
    """Rows of values below names of columns; without names the first column says what the others are."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    @property
    def of_words(self) -> list[bool]:
        """Which columns hold sentences, which are read from the left: no numbers, and more than three words somewhere."""
        columns = list(zip(*self.rows, strict=True))
        return [
            all(cell.number is None for cell in column) and any(len(cell.text.split()) > 3 for cell in column)
            for column in columns
        ] or [False] * len(self.columns)

    def lines(self) -> Iterable[str]:
        """The table for a terminal: the first column on the left, all others on the right of their places."""
        rows = [list(self.columns), *([cell.text for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for first, *rest in rows:
            cells = [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(rest, widths[1:], strict=True))]
            yield "  ".join(cells).rstrip()


@dataclass(frozen=True)
class Picture:
    """A figure that has been drawn already."""

    kind: ClassVar[str] = "picture"
    number: int
    title: str
    caption: str
    png: bytes

    @property
    def source(self) -> str:
        """The picture itself, in the place of its address."""
        return f"data:image/png;base64,{base64.b64encode(self.png).decode('ascii')}"


@dataclass
class Section:
    """What one part of the work had to show."""

    title: str
    blocks: list[Words | Table | Picture] = field(default_factory=list)


@dataclass
class Page:
    """Headline numbers, then the sections in their order; empty ones are left out."""

    title: str
    lead: str = ""
    headlines: list[tuple[str, Cell]] = field(default_factory=list)
    sections: list[Section] = field(default_factory=list)

    def html(self) -> str:
        """The page as one file: style and pictures are in it, and it may load nothing from elsewhere."""
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        return environment.from_string(TEMPLATE).render(page=self)
