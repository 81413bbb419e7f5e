"""Zips and folders, read into memory without trusting what they hold or declare.

`zipfile` checks signatures and checksums. It does not look at sizes, links, overlaps, doubled names or where a name
points to, and it fails in half a dozen ways; here each of them is an `InvalidSubmission` of one line.
"""

import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from mmap import mmap
from pathlib import Path

from grader.course import Limits
from grader.errors import InvalidSubmission

MB = 1024 * 1024
JUNK_FACTOR = 20
"""Members looked at for each file allowed: room for what is skipped (`.git`, `.venv`), none for a flood of names."""

JUNK_FOLDERS = frozenset(
    [
        *["__MACOSX", "__pycache__", ".git", ".hg", ".svn", ".idea", ".vscode", ".venv", "venv"],
        *[".ipynb_checkpoints", ".mypy_cache", ".pytest_cache", ".ruff_cache"],
    ]
)
JUNK_FILES = frozenset([".DS_Store", "Thumbs.db", "desktop.ini", "Icon\r"])

OTHER_KINDS = {
    b"Rar!\x1a\x07": "a RAR archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"\x1f\x8b": "a gzip file (.tar.gz)",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ\x00": "an xz file",
    b"PK\x07\x08": "one part of a split zip",
    b"%PDF": "a PDF",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
}
DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    IndexError,
    OverflowError,
    RuntimeError,  # NotImplementedError too
)
"""What `zipfile` raises for a file that is no sound zip."""

_NO_DETOUR = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)  # Windows has neither
_DRIVE = re.compile(r"[A-Za-z]:")
_ENCRYPTED = 0x2041  # flag bits 0, 6 and 13
_UTF8_NAME = 0x800


def quoted(name: str, length: int = 80) -> str:
    """`name` for a message: in quotes, control characters escaped, the middle of a long one left out."""
    shown = repr(name)
    return shown if len(shown) <= length else f"{shown[: length // 2]}…{shown[-length // 3 :]}"


def member_path(name: str) -> str:
    """A member's name as a clean relative path: `/` between parts, Unicode NFC, no empty or `.` parts; "" for the root.

    Backslashes separate parts too, as Windows tools write them.

    Raises:
        InvalidSubmission: absolute, with `..`, a drive letter or control characters, or too long for a file system.
    """
    path = unicodedata.normalize("NFC", name.replace("\\", "/"))
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in path):
        raise InvalidSubmission(f"expected readable file names, found {quoted(path)}; rename it.")
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or _DRIVE.match(path) or ".." in parts:
        raise InvalidSubmission(f"expected names below the submission, found {quoted(path)}, which points outside.")
    if len(path) > 1000 or any(len(part.encode()) > 255 for part in parts):
        raise InvalidSubmission(f"expected names of at most 255 bytes, found {quoted(path)}; shorten it.")
    return "/".join(parts)


def is_junk(path: str) -> bool:
    """Whether a path is what operating systems, editors and Python leave behind and no student means to hand in."""
    parts = path.split("/")
    return not JUNK_FOLDERS.isdisjoint(parts) or parts[-1] in JUNK_FILES or parts[-1].startswith("._")


class Intake:
    """Files of one submission, taken in one by one under its limits."""

    def __init__(self, limits: Limits) -> None:
        self.files: dict[str, bytes] = {}
        self._limits = limits
        self._room = limits.submission_mb * MB
        self._taken: dict[str, str] = {}
        """Files by their name without case: upper and lower case are the same on most students' computers."""
        self._folders: set[str] = set()

    def reserve(self, path: str, size: int) -> None:
        """Make room for a file of `size` bytes, before any of it is read.

        Raises:
            InvalidSubmission: too many files, too many bytes, or a name that is taken.
        """
        if len(self.files) >= self._limits.submission_files:
            raise InvalidSubmission(
                f"expected at most {self._limits.submission_files} files, found more; hand in the task files alone."
            )
        self._room -= size
        if self._room < 0:
            raise InvalidSubmission(
                f"expected at most {self._limits.submission_mb} MB unpacked, found more, among it {quoted(path)} "
                f"({size / MB:,.1f} MB); leave data and outputs out."
            )
        self._claim(path)
        self.files[path] = b""

    def _claim(self, path: str) -> None:
        key = _without_case(path)
        if key in self._taken:
            raise InvalidSubmission(f"expected each file once, found {quoted(self._taken[key])} and {quoted(path)}.")
        folders = {key[:place] for place, letter in enumerate(key) if letter == "/"}
        if key in self._folders or not folders.isdisjoint(self._taken):
            raise InvalidSubmission(f"expected a name to be a file or a folder, found both around {quoted(path)}.")
        self._taken[key] = path
        self._folders |= folders


def _without_case(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def read_zip(source: Path | bytes, limits: Limits) -> dict[str, bytes]:
    """Every file of a zip by its path, junk left out; archives inside it stay closed.

    Raises:
        InvalidSubmission: no sound zip, encrypted, larger than `limits` allow (no more than what it declares is
            ever unpacked), or with names, links or overlaps that no honest zip has.
        OSError: the file cannot be read.
    """
    data = source if isinstance(source, bytes) else _packed(source, limits)
    _require_zip(data)
    if data.count(b"PK\x01\x02") > JUNK_FACTOR * limits.submission_files:
        raise InvalidSubmission(f"expected at most {limits.submission_files} files in the zip, found far more.")
    intake = Intake(limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            require_apart(archive.infolist(), data, archive.start_dir)
            for path, info in _members(archive.infolist()):
                intake.reserve(path, info.file_size)
                intake.files[path] = member_content(archive, info)
    except UnicodeDecodeError:
        raise InvalidSubmission("a file name in the zip cannot be decoded; zip it again with plain names.") from None
    except DAMAGED:
        raise InvalidSubmission(
            "the zip is damaged or incomplete, as after an upload that was cut off; hand it in again."
        ) from None
    return intake.files


def _packed(path: Path, limits: Limits) -> bytes:
    # Headers and stored files make a zip a little larger than what is in it.
    most = (limits.submission_mb + 1) * MB
    with path.open("rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise InvalidSubmission(f"expected at most {limits.submission_mb} MB, found a larger zip; leave data out.")
    return data


def _require_zip(data: bytes) -> None:
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return
    if not data:
        raise InvalidSubmission("expected a zip, found an empty file; hand it in again.")
    start = data[:512].lstrip().lower()
    kinds = [kind for magic, kind in OTHER_KINDS.items() if data.startswith(magic) or start.startswith(magic.lower())]
    if data[257:262] == b"ustar":
        kinds.append("a tar archive")
    found = kinds[0] if kinds else "something else"
    raise InvalidSubmission(f"expected a zip, found {found} named .zip; make a real zip of the folder.")


def require_apart(infos: Iterable[zipfile.ZipInfo], data: bytes | mmap, directory: int) -> None:
    """Refuse members whose bytes overlap: one stretch of data under many names is how small zips become huge."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        name, extra = struct.unpack_from("<HH", data, info.header_offset + 26)
        if info.header_offset < end:
            raise InvalidSubmission("files in the zip overlap, as no honest zip's do; zip the folder again.")
        end = info.header_offset + 30 + name + extra + info.compress_size
    if end > directory:
        raise zipfile.BadZipFile("data runs into the directory")


def _members(infos: Iterable[zipfile.ZipInfo]) -> Iterable[tuple[str, zipfile.ZipInfo]]:
    """The files worth reading, with their clean paths; names are checked for all of them."""
    for info in infos:
        name = member_name(info)
        if name.rpartition("/")[2] in JUNK_FILES:
            continue
        path = member_path(name)
        if path == "" or is_junk(path) or is_folder(info):
            continue
        if problem := member_problem(info, path):
            raise InvalidSubmission(problem)
        yield path, info


def is_folder(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a folder, by its name or by its mode."""
    return info.is_dir() or stat.S_IFMT(info.external_attr >> 16) == stat.S_IFDIR


def member_problem(info: zipfile.ZipInfo, path: str) -> str:
    """Why a member, which is no folder, is not to be read; mostly nothing."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        what = "a link" if kind == stat.S_IFLNK else "a special file"
        return f"expected files and folders, found {what}, {quoted(path)}; zip the file itself."
    if info.flag_bits & _ENCRYPTED:
        return "the zip is encrypted; zip the folder without a password."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The other methods unpack without a bound: a few kilobytes of bzip2 or LZMA fill the memory.
        method = zipfile.compressor_names.get(info.compress_type, str(info.compress_type))  # type: ignore[attr-defined]
        return f"expected an ordinary zip, found {quoted(path)} packed with {method}; zip it anew."
    return ""


def member_name(info: zipfile.ZipInfo) -> str:
    """A member's name as whoever packed it meant it."""
    if info.flag_bits & _UTF8_NAME:
        return info.orig_filename
    # macOS writes UTF-8 without saying so, and zipfile then takes it for cp437, which has a letter for every byte.
    raw = info.orig_filename.encode("cp437")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return info.orig_filename


def member_content(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes, never more than it declares; one of `DAMAGED` where it is not what it declares."""
    with archive.open(info) as member:
        content = member.read(info.file_size + 1)
    if len(content) != info.file_size:
        raise zipfile.BadZipFile("shorter than declared")
    return content


def read_folder(root: Path, limits: Limits) -> dict[str, bytes]:
    """Every file below a folder by its path, junk left out.

    Raises:
        InvalidSubmission: too many or too large files, links or special files, names that no other system takes.
        OSError: something cannot be read.
    """
    intake, seen = Intake(limits), 0
    for found in _walk(root):
        seen += 1
        if seen > JUNK_FACTOR * limits.submission_files:
            raise InvalidSubmission(f"expected at most {limits.submission_files} files, found far more.")
        if found.name in JUNK_FILES:
            continue
        path = member_path(os.path.relpath(found.path, root))
        if is_junk(path) or found.is_dir(follow_symlinks=False):
            continue
        if not found.is_file(follow_symlinks=False):
            what = "a link" if found.is_symlink() else "a special file"
            raise InvalidSubmission(
                f"expected files and folders, found {what}, {quoted(path)}; hand in the file itself."
            )
        size = found.stat(follow_symlinks=False).st_size
        intake.reserve(path, size)
        intake.files[path] = read_file(Path(found.path), size)
    return intake.files


def _walk(folder: Path) -> Iterator[os.DirEntry]:
    """Everything below a folder in sorted order, links not followed and junk folders not entered."""
    with os.scandir(folder) as scan:
        found = sorted(scan, key=lambda entry: entry.name)
    for entry in found:
        yield entry
        if entry.is_dir(follow_symlinks=False) and entry.name not in JUNK_FOLDERS:
            yield from _walk(Path(entry.path))


def read_file(path: Path, most: int) -> bytes:
    """Up to `most` + 1 bytes of a plain file; a link or a pipe that took its place meanwhile is an OSError."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_DETOUR)) as file:
        return file.read(most + 1)
