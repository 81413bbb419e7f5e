"""Files that are written aside and renamed: whoever reads meanwhile, or after a crash, finds the old one or the new one."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path

PART = ".part"
"""How the names of unfinished files end; they begin with a dot."""


def write_aside(target: Path, content: bytes, *, folder: Path | None = None, durable: bool = False) -> None:
    """Write a file whole or not at all, readable by everybody; folders on the way to it are made.

    Args:
        target: where it is to be.
        content: all of it.
        folder: where it is written first, on the same file system (default: beside the target).
        durable: it is on the disk, and not only on its way there, before it has its name.

    Raises:
        OSError: it could not be written; nothing of it is left.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder or target.parent, prefix=".", suffix=PART, delete=False) as part:
        try:
            part.write(content)
            part.flush()
            if durable:
                os.fsync(part.fileno())
            os.chmod(part.name, 0o644)
            os.replace(part.name, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(part.name)
            raise
