"""When the last commits of cloned repositories were made, by the word of whoever made them.

    python -m grader.intake.commits        (folders on standard input, their times on standard output)

Reading goes on in a process of its own, with limits: objects are compressed and made by students. No setting of a repository
is read, and no program that one names is run, as `git` itself would.
"""

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from grader.reading import limit

CPU_SECONDS, WALL_SECONDS = 120, 600
MEMORY_BYTES = 2 << 30
_MOST_HOPS = 5
_LONGEST_REF = 4096


def commit_times(repositories: Sequence[Path]) -> list[datetime | None]:
    """The time of the commit that is checked out in each folder, in UTC; None where there is none that can be read."""
    asked = msgspec.json.encode([str(path) for path in repositories])
    try:
        done = subprocess.run(
            [sys.executable, "-m", "grader.intake.commits"], input=asked, capture_output=True, timeout=WALL_SECONDS
        )
    except subprocess.TimeoutExpired as late:
        told = late.stdout or b""
    else:
        told = done.stdout
    times = [_moment(line) for line in told.splitlines()]
    return [*times, *[None] * (len(repositories) - len(times))]


def _moment(seconds: bytes) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _checked_out(repository: Path) -> int:
    """Seconds since 1970 of the commit that HEAD leads to.

    Raises:
        Exception: there is none, or it is damaged.
    """
    from dulwich.object_store import DiskObjectStore
    from dulwich.objects import Commit, ObjectID

    git = repository / ".git"
    name = "HEAD"
    for _ in range(_MOST_HOPS):
        with (git / name).open("rb") as file:
            text = file.read(_LONGEST_REF).decode().strip()
        if not text.startswith("ref: "):
            break
        name = text.removeprefix("ref: ")
        if ".." in Path(name).parts or Path(name).is_absolute():
            raise ValueError("a reference that leads out of the repository")
        if not (git / name).is_file():
            text = _packed(git, name)
            break
    commit = DiskObjectStore(str(git / "objects"))[ObjectID(text.encode())]
    if not isinstance(commit, Commit):
        raise TypeError("HEAD is no commit")
    return commit.commit_time


def _packed(git: Path, name: str) -> str:
    """What `packed-refs` says of a reference.

    Source: https://git-scm.com/docs/git-pack-refs
    """
    for line in (git / "packed-refs").read_text("utf-8").splitlines():
        number, _, packed = line.partition(" ")
        if packed == name:
            return number
    raise LookupError(name)


def main() -> None:
    """Answer, a line for each folder: seconds, or nothing."""
    repositories = msgspec.json.decode(sys.stdin.buffer.read(), type=list[str])
    limit(CPU_SECONDS, MEMORY_BYTES)
    for repository in repositories:
        try:
            told = str(_checked_out(Path(repository)))
        except Exception:  # whatever a damaged repository provokes, the next one is another's
            told = "none"
        sys.stdout.write(f"{told}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
