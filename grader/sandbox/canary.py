"""The canary: a file that must not be readable inside, tried by the first worker of every zygote.

Only an attempt proves that something is hidden: mounts, links and modes have too many ways to be other than one thinks.
"""

import contextlib
import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from grader.errors import SandboxError

EXPOSED, HIDDEN = b"exposed", b"hidden"
PREFIX = ".canary-"
OLD_SECONDS = 3600  # whoever planted it has been killed


@contextlib.contextmanager
def planted(where: Path) -> Iterator[str]:
    """A fresh file in a folder, for as long as the `with` lasts, whose modes let everybody read it.

    If `where` is a file it is the canary itself; if it is a folder that cannot be written to, any file in it is.

    Raises:
        SandboxError: there is nothing at `where`.
    """
    if where.is_file():
        yield str(where.resolve())
        return
    path = where.resolve() / f"{PREFIX}{secrets.token_hex(8)}"
    try:
        for left in where.glob(f"{PREFIX}*"):
            if time.time() - left.stat().st_mtime > OLD_SECONDS:
                left.unlink()
        path.write_text("hidden")
        path.chmod(0o644)
    except OSError:
        found = next((file for file in sorted(where.rglob("*")) if file.is_file()), None)
        if found is None:
            raise SandboxError(f"expected a folder of hidden files at {where}, found none; check the path.") from None
        yield str(found.resolve())
        return
    try:
        yield str(path)
    finally:
        path.unlink(missing_ok=True)


def try_to_read(path: str, connection: socket.socket, scratch: str) -> NoReturn:
    """Run in a worker: say on the connection whether the canary could be read."""
    try:
        with open(path, "rb") as file:
            file.read(1)
    except OSError:
        connection.send(HIDDEN)
    else:
        connection.send(EXPOSED)
    os._exit(0)
