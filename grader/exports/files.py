"""Files that others take: tables read as they come, and all that is written, aside and renamed."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.aside import write_aside
from grader.errors import UsageError

BOM = "\ufeff"


@dataclass(frozen=True)
class Table:
    """A CSV file: its header, its rows (as long as the header at least), and how it is written."""

    path: Path
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    delimiter: str = ","
    bom: bool = False

    def place(self, *names: str) -> int | None:
        """The place of the first column of one of these names, whatever the case of letters; None where there is none."""
        wanted = [name.casefold() for name in names]
        places = (at for at, name in enumerate(self.header) if name.strip().casefold() in wanted)
        return next(places, None)

    def with_rows(self, header: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
        """The file with another header and other rows, written as it was."""
        return table(header, rows, self.delimiter, bom=self.bom)


def read_table(path: Path, what: str) -> Table:
    """Read a CSV file in UTF-8, with commas or semicolons; `what` says what it is, for messages.

    Raises:
        UsageError: it cannot be read as one.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UsageError(f"expected {what}, cannot read {path}: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: expected {what} in UTF-8, found another encoding; save it as “CSV UTF-8”.") from None
    bom, text = text.startswith(BOM), text.removeprefix(BOM)
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    try:
        header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except ValueError:
        raise UsageError(f"{path}: expected {what}, found nothing in it.") from None
    except csv.Error as error:
        raise UsageError(f"{path}: expected {what}, found no CSV: {error}.") from None
    width = len(header)
    for number, row in enumerate(rows, 2):
        if any(row[width:]):
            raise UsageError(f"{path}, row {number}: expected {width} cells, as in the header, found {len(row)}.")
    return Table(path, header, [(row + [""] * width)[:width] for row in rows if any(row)], delimiter, bom)


def table(header: Sequence[str], rows: Iterable[Sequence[str]], delimiter: str = ",", *, bom: bool = False) -> bytes:
    """A CSV file in UTF-8."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return ((BOM if bom else "") + file.getvalue()).encode("utf-8", "replace")


def write(path: Path, content: bytes) -> None:
    """Write a file aside and rename it.

    Raises:
        UsageError: the place cannot be written; what was there before is whole.
    """
    try:
        write_aside(path, content)
    except OSError as error:
        raise UsageError(f"expected a place to write {path}, cannot: {error.strerror}.") from None
