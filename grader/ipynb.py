"""The notebook format: a file's bytes as cells, of which no more is read than is needed."""

from typing import TypeVar

import msgspec

from grader.archive import quoted
from grader.errors import InvalidSubmission

_Struct = TypeVar("_Struct", bound=msgspec.Struct)

MOST_CODE = 256 * 1024
"""Characters of code in a notebook: Python's parser takes about a thousand bytes of memory for each."""
MOST_CELLS = 2000


class _Language(msgspec.Struct, frozen=True):
    language: str = ""
    name: str = ""


class _CellMetadata(msgspec.Struct, frozen=True):
    grader: msgspec.Raw = msgspec.Raw()
    nbgrader: msgspec.Raw = msgspec.Raw()


class _Metadata(msgspec.Struct, frozen=True):
    grader: msgspec.Raw = msgspec.Raw()
    kernelspec: msgspec.Raw = msgspec.Raw()
    language_info: msgspec.Raw = msgspec.Raw()


class RawCell(msgspec.Struct, frozen=True):
    """What is read of a cell; the rest, outputs above all, is passed over without taking memory."""

    cell_type: str
    source: str | list[str] = ""
    metadata: _CellMetadata = _CellMetadata()

    @property
    def text(self) -> str:
        return "".join(self.source).replace("\r\n", "\n").replace("\r", "\n")


class Notebook(msgspec.Struct, frozen=True):
    """What is read of a notebook."""

    nbformat: int
    cells: list[RawCell] = []
    metadata: _Metadata = _Metadata()


def parse(data: bytes) -> Notebook:
    """A notebook's cells and metadata; one of an older format is converted.

    Raises:
        InvalidSubmission: not a notebook, not in Python, or too large.
    """
    try:
        notebook = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=Notebook)
        notebook = notebook if notebook.nbformat >= 4 else _upgraded(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidSubmission(
            f"expected a Jupyter notebook, found something else ({error}); save it in Jupyter and hand it in again."
        ) from None
    if notebook.nbformat > 4:
        raise InvalidSubmission(f"expected a notebook of format 4, found {notebook.nbformat}; save it as 4.")
    told = [told_of(notebook.metadata.language_info, _Language), told_of(notebook.metadata.kernelspec, _Language)]
    languages = [info.language or info.name for info in told if info and (info.language or info.name)]
    if languages and not any("python" in language.lower() for language in languages):
        raise InvalidSubmission(f"expected a notebook in Python, found one in {quoted(languages[0])}.")
    if sum(len(cell.text) for cell in notebook.cells if cell.cell_type == "code") > MOST_CODE:
        raise InvalidSubmission(f"expected at most {MOST_CODE // 1024} KB of code in a notebook, found more.")
    if len(notebook.cells) > MOST_CELLS:
        raise InvalidSubmission(f"expected at most {MOST_CELLS} cells in a notebook, found {len(notebook.cells)}.")
    return notebook


def told_of(raw: msgspec.Raw, kind: type[_Struct]) -> _Struct | None:
    """Metadata of a kind, where it has that form; anyone may write anything there."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError:
        return None


def _upgraded(data: bytes) -> Notebook:
    """A notebook of format 3 or older, as format 4."""
    import nbformat  # takes seconds, and hardly anyone needs it

    try:
        upgraded = nbformat.convert(nbformat.reader.reads(data.decode("utf-8-sig")), 4)
    except Exception as error:  # its converters trust their input
        raise InvalidSubmission(
            f"expected a notebook of format 4, found an older one that cannot be converted ({type(error).__name__}); "
            "save it in a current Jupyter."
        ) from None
    return msgspec.convert(upgraded, Notebook)
