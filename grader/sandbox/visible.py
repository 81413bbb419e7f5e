"""What exists inside the sandbox: the files that Python needs, those the caller names, and nothing else."""

import os
import site
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import grader
from grader.errors import SandboxError

PACKAGE = Path(grader.__file__).parent

# Never a prefix as a whole: /usr/src or /usr/local/src may well hold the course
_PREFIX_PARTS = ("bin", "lib", "lib32", "lib64", "libexec", "include", "share", "pyvenv.cfg")
_SYSTEM = (
    *("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/usr/sbin", "/nix/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/fonts", "/etc/localtime"),
    *("/etc/mime.types",),
)
_OWN = ("__init__.py", "errors.py", "sandbox")


@dataclass(frozen=True)
class Visible:
    """Real paths to be shown, in an order in which parents come first, and the symbolic links that lead to them."""

    paths: tuple[str, ...]
    links: dict[str, str]

    def within(self, folders: Iterable[str]) -> list[str]:
        """Those of the paths that lie in one of `folders`."""
        return [path for path in self.paths if any(_lies_in(path, folder) for folder in folders)]


def visible(readable: Iterable[Path]) -> Visible:
    """Everything a worker may read: Python, its packages, the system's libraries, this package, and `readable`.

    Raises:
        SandboxError: a path in `readable` does not exist.
    """
    wanted = [*_SYSTEM, *_python(), *(str(PACKAGE / name) for name in _OWN)]
    for place in readable:
        if not place.exists():
            raise SandboxError(f"expected {place} to be readable in the sandbox, found no such file; check the path.")
        wanted.append(os.path.abspath(place))
    links: dict[str, str] = {}
    real = {_trace(path, links) for path in wanted if os.path.lexists(path)}
    kept: list[str] = []
    for path in sorted(real):
        if os.path.exists(path) and not any(_lies_in(path, parent) for parent in kept):
            kept.append(path)
    return Visible(tuple(kept), {at: to for at, to in links.items() if not any(_lies_in(at, path) for path in kept)})


def open_to_all(path: str) -> bool:
    """Whether the modes of `path` and of the folders above let everybody read it."""
    while True:
        needed = 0o5 if os.path.isdir(path) else 0o4
        if os.stat(path).st_mode & needed != needed:
            return False
        if path == "/":
            return True
        path = os.path.dirname(path)


def _python() -> list[str]:
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, "/usr", "/usr/local"}
    prefixes.add(os.path.dirname(os.path.dirname(os.path.realpath(sys.executable))))
    parts = [os.path.join(prefix, part) for prefix in sorted(prefixes) for part in _PREFIX_PARTS]
    return [*parts, *site.getsitepackages()]


def _trace(path: str, links: dict[str, str]) -> str:
    """Where `path` really lies; the links met on the way are added to `links`.

    Raises:
        SandboxError: the links lead in a circle.
    """
    done, todo, followed = "/", path.split("/"), 0
    while todo:
        part = todo.pop(0)
        here = os.path.normpath(os.path.join(done, part))
        if not os.path.islink(here):
            done = here
            continue
        followed += 1
        if followed > 40:
            raise SandboxError(f"expected {path} to lead to a file, found symbolic links in a circle; repair them.")
        links[here] = os.readlink(here)
        done = "/" if links[here].startswith("/") else done
        todo = links[here].split("/") + todo
    return done


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
