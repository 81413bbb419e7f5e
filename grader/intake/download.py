"""What a platform gave, a folder or a zip: its files by their path, read one by one and never more than they declare."""

import os
import zipfile
from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from mmap import ACCESS_READ, mmap
from pathlib import Path

from grader.archive import (
    DAMAGED,
    JUNK_FOLDERS,
    is_folder,
    is_junk,
    member_content,
    member_name,
    member_path,
    member_problem,
    quoted,
    read_file,
    require_apart,
)
from grader.errors import InvalidSubmission, UsageError

MOST = 500_000
"""Files in a download: room for thousands of students, none for a flood of names."""


@dataclass(frozen=True)
class Item:
    """A file in a download."""

    path: str
    """Below the download's root, `/` between parts."""
    size: int
    """In bytes, as declared."""
    source: Path | zipfile.ZipInfo
    """What the download reads it by: where it lies, or which member of the zip it is."""

    @property
    def top(self) -> str:
        """The first part of its path."""
        return self.path.partition("/")[0]

    @property
    def rest(self) -> str:
        """Its path below that; empty for a file at the root."""
        return self.path.partition("/")[2]


@dataclass(frozen=True)
class Download:
    """All files of a download; a link, a special file, or a name that no file can have is not among them, but in `left`."""

    name: str
    """The folder's or the zip's, without a suffix."""
    items: tuple[Item, ...]
    left: tuple[str, ...] = ()
    """What is left alone and why, a line each."""
    repositories: frozenset[str] = frozenset()
    """Folders with a `.git` in them, by their path."""
    archive: zipfile.ZipFile | None = field(default=None, repr=False)

    @property
    def folders(self) -> list[str]:
        """Folders at the root, in order."""
        return list(dict.fromkeys(item.top for item in self.items if item.rest))

    @property
    def at_root(self) -> list[Item]:
        """Files that are in no folder."""
        return [item for item in self.items if not item.rest]

    def inside(self) -> "Download | None":
        """The same without the one folder around everything; None where there is none."""
        if len(self.folders) != 1 or self.at_root:
            return None
        (folder,) = self.folders
        items = tuple(replace(item, path=item.rest) for item in self.items)
        repositories = {one.removeprefix(f"{folder}/") for one in self.repositories if one.startswith(f"{folder}/")}
        return replace(self, name=folder, items=items, repositories=frozenset(repositories))

    def read(self, item: Item) -> bytes:
        """A file's bytes.

        Raises:
            InvalidSubmission: it cannot be read, or is not what it declares.
        """
        try:
            if isinstance(item.source, zipfile.ZipInfo):
                assert self.archive is not None  # it is a member of that
                return member_content(self.archive, item.source)
            content = read_file(item.source, item.size)
        except OSError as error:
            raise InvalidSubmission(f"{quoted(item.path)} cannot be read ({error.strerror}).") from None
        except DAMAGED:
            raise InvalidSubmission(f"{quoted(item.path)} is damaged; download it again.") from None
        if len(content) != item.size:
            raise InvalidSubmission(f"{quoted(item.path)} changed while it was read.")
        return content


@contextmanager
def opened(path: Path) -> Iterator[Download]:
    """The download at `path`, for the length of a `with`.

    Raises:
        UsageError: neither a folder nor a sound zip, or there is nothing in it.
    """
    with ExitStack() as stack:
        try:
            found = _of_folder(path) if path.is_dir() else _of_zip(path, stack)
        except OSError as error:
            raise UsageError(f"expected a download, a folder or a zip, cannot read {path}: {error.strerror}.") from None
        except InvalidSubmission as error:
            raise UsageError(f"{path}: {error}") from None
        except DAMAGED:
            raise UsageError(f"expected a download, a folder or a zip, found no sound zip at {path}.") from None
        if not found.items:
            why = f": {'; '.join(found.left[:3])}" if found.left else ""
            raise UsageError(f"expected a download with files in it, found none in {path}{why}.")
        yield found


def _of_folder(root: Path) -> Download:
    items, repositories = [], set()
    left: list[str] = []
    for entry in _walk(root, left):
        shown = os.path.relpath(entry.path, root)
        if entry.name == ".git":
            repositories.add(os.path.dirname(shown).replace(os.sep, "/"))
            continue
        path = _clean(shown, left)
        if not path or is_junk(path) or entry.is_dir(follow_symlinks=False):
            continue
        if not entry.is_file(follow_symlinks=False):
            what = "a link, which is not followed" if entry.is_symlink() else "a special file"
            left.append(f"{quoted(path)}: {what}")
            continue
        items.append(Item(path, entry.stat(follow_symlinks=False).st_size, Path(entry.path)))
        _require_few(items)
    return Download(root.resolve().name, tuple(items), tuple(left), frozenset(repositories))


def _walk(folder: Path, left: list[str]) -> Iterator[os.DirEntry]:
    try:
        with os.scandir(folder) as scan:
            found = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        left.append(f"{quoted(str(folder))}: cannot be read ({error.strerror})")
        return
    for entry in found:
        yield entry
        if entry.is_dir(follow_symlinks=False) and entry.name not in JUNK_FOLDERS:
            yield from _walk(Path(entry.path), left)


def _of_zip(path: Path, stack: ExitStack) -> Download:
    file = stack.enter_context(path.open("rb"))
    archive = stack.enter_context(zipfile.ZipFile(file))
    with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        require_apart(archive.infolist(), data, archive.start_dir)
    items: dict[str, Item] = {}
    left: list[str] = []
    repositories = set()
    for info in archive.infolist():
        clean = _clean(member_name(info), left)
        before, git, _ = f"/{clean}/".partition("/.git/")
        if git:
            repositories.add(before.strip("/"))
        if not clean or is_junk(clean) or is_folder(info):
            continue
        problem = member_problem(info, clean) or ("its name is there twice" if clean in items else "")
        if problem:
            left.append(f"{quoted(clean)}: {problem.rstrip('.')}")
            continue
        items[clean] = Item(clean, info.file_size, info)
        _require_few(items)
    return Download(path.stem, tuple(items.values()), tuple(left), frozenset(repositories), archive)


def _clean(name: str, left: list[str]) -> str:
    """A name as a clean path; empty, and a line, where it is none."""
    try:
        return member_path(name)
    except InvalidSubmission as error:
        left.append(str(error).rstrip("."))
        return ""


def _require_few(items: Collection) -> None:
    if len(items) > MOST:
        raise UsageError(f"expected a download of at most {MOST:,} files, found more.")
