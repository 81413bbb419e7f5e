"""A scratch folder on the machine's own disk, for where a worker gets no file system of its own: how much lies in it, and
its removal.

Imports the standard library alone: `root.py` loads this file by its path.
"""

import contextlib
import os
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator

WIPE_SECONDS = 60
FRESH_SECONDS, STALE_SECONDS, LOOKS_TAKE_ONE_IN = 0.5, 4.0, 10
LEAST_BYTES = 4096  # that even an empty file costs a disk
HIDDEN_BYTES = 1 << 50


class ScratchMeter:
    """Bytes on disk of a folder, and of files that processes have deleted and not let go of.

    Looking stops at `most`; the last value is given again while it is fresh.
    """

    def __init__(self, folder: str, most: int) -> None:
        self._folder, self._most = folder, most
        self._value, self._again_at = 0, float("-inf")

    def used(self, pids: Iterable[int]) -> int:
        """How much there is; at most a little more than `most`."""
        now = time.monotonic()
        if now > self._again_at:
            self._value = 0
            for size in _sizes(self._folder, pids):
                self._value += size
                if self._value > self._most:
                    break
            ended = time.monotonic()
            self._again_at = ended + min(STALE_SECONDS, max(FRESH_SECONDS, LOOKS_TAKE_ONE_IN * (ended - now)))
        return self._value


def _sizes(folder: str, pids: Iterable[int]) -> Iterator[int]:
    """Of each file and folder; one that nobody may look into counts as more than there may be."""
    gone: dict[tuple[int, int], int] = {}
    for pid in pids:
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    found = os.stat(f"/proc/{pid}/fd/{name}")
                    if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                        gone[found.st_dev, found.st_ino] = found.st_blocks * 512
    yield from gone.values()
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except PermissionError:
            yield HIDDEN_BYTES
            continue
        except OSError:
            continue  # it has just been removed
        for entry in entries:
            with contextlib.suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                yield max(LEAST_BYTES, found.st_blocks * 512)
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(entry.path)


def wipe(folder: str) -> None:
    """Remove a folder, whatever modes, depth and links it was left with; by a program of its own, in time."""
    for command in (["rm", "-rf"], ["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        if os.path.lexists(folder):
            with contextlib.suppress(subprocess.TimeoutExpired):
                subprocess.run([*command, "--", folder], stderr=subprocess.DEVNULL, timeout=WIPE_SECONDS)
