"""The broker's side: starts a zygote at the best level that this machine allows, and opens sessions with it."""

import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader.errors import SandboxError
from grader.sandbox import landlock, linux, processes
from grader.sandbox.canary import planted
from grader.sandbox.confine import PRIVATE_FOLDERS, Ground
from grader.sandbox.scratch import wipe
from grader.sandbox.session import Session, Worker
from grader.sandbox.terms import ENDED_EARLY, UNPRIVILEGED_USER, Exit, Level, Usage, WorkerLimits
from grader.sandbox.visible import PACKAGE, Visible, open_to_all, visible

__all__ = ["Exit", "Level", "Sandbox", "Session", "Usage", "Worker", "WorkerLimits"]

START_SECONDS = 300  # imports from a cold disk
CLOSE_SECONDS = 10

_BOOT = "import sys; sys.path.append(sys.argv[1]); from grader.sandbox.zygote import main; main(int(sys.argv[2]))"
_ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "CUDA_VISIBLE_DEVICES": "",
    "MPLBACKEND": "Agg",
}


@dataclass(frozen=True)
class Program:
    """What a zygote is to import, to call once, and to run in its workers."""

    preload: Sequence[str]
    warm_up: str | None
    serve: str
    imports_from: Sequence[str]


class _Refused(Exception):
    """The machine does not allow a level; says why."""


class Sandbox:
    """A running zygote, made by `Sandbox.start`. A context manager.

    `level` and `reason` (a line) say how well workers are confined and why so; `start_up` gives the seconds that the
    steps of the start took.
    """

    def __init__(self, level: Level, program: Program, seen: Visible, canary: str) -> None:
        self.level = level
        self.reason = ""
        self.start_up: Mapping[str, float] = {}
        self._scratch = "/tmp" if level is Level.NAMESPACES else tempfile.mkdtemp(prefix="sandbox-", dir="/tmp")
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by close)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        root = os.path.join(os.path.dirname(__file__), "root.py")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", root, str(theirs.fileno())],
                env={**_ENVIRONMENT, "HOME": self._scratch, "TMPDIR": self._scratch},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                pass_fds=[theirs.fileno()],
            )
        try:
            self._order(program, seen, canary)
            self._wait_ready(canary)
        except BaseException:
            self.close()
            raise

    @classmethod
    def start(
        cls,
        *,
        preload: Sequence[str],
        warm_up: str | None,
        serve: str,
        readable: Sequence[Path],
        canary: Path,
        level: Level | None = None,
        imports_from: Sequence[Path] = (),
    ) -> "Sandbox":
        """Start a zygote, and see that it hides what it should.

        Args:
            preload: names of the modules that workers find imported.
            warm_up: `module:function`, called once after the imports; must leave no thread behind.
            serve: `module:function`, called in each worker with its end of the connection and its scratch folder.
            readable: files and folders that workers may read, besides Python's own and this package.
            canary: a folder of things to be hidden, or one hidden file. A fresh file there (any file, if the folder
                cannot be written to) must be out of the first worker's reach.
            level: the level to insist on; if not given, the best possible, and never `NONE`.
            imports_from: folders to import from besides the installed packages; they are readable too.

        Raises:
            SandboxError: no level is possible, the canary can be read, or the warm-up failed.
        """
        if sys.platform != "linux":
            raise SandboxError(
                f"expected Linux for the sandbox, found {sys.platform}; run code that you trust in-process."
            )
        program = Program(preload, warm_up, serve, [str(folder.resolve()) for folder in imports_from])
        seen = visible([*readable, *imports_from])
        refusals = []
        for candidate in [level] if level else [Level.NAMESPACES, Level.LANDLOCK]:
            try:
                sandbox = cls._at(candidate, program, seen, canary)
            except _Refused as refused:
                refusals.append(f"{candidate} refused: {refused}")
            else:
                sandbox.reason = "; ".join([*refusals, _means(candidate)])
                return sandbox
        raise SandboxError(
            f"expected a sandbox on this machine, found {'; '.join(refusals)}; `grader doctor` says what it lacks."
        )

    @classmethod
    def _at(cls, level: Level, program: Program, seen: Visible, canary: Path) -> "Sandbox":
        """Start at a level; once more, when the worker that tries it out was ended by somebody."""
        tries = 2
        while True:
            try:
                with planted(canary) as path:
                    return cls(level, program, seen, "" if level is Level.NONE else path)
            except _Refused as refused:
                tries -= 1
                if not tries or ENDED_EARLY not in str(refused):
                    raise

    @property
    def alive(self) -> bool:
        """Whether the zygote still runs."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process from which everything else of this sandbox descends."""
        return self._process.pid

    def memory(self) -> int:
        """Bytes of the zygote's resident memory that are no file's; 0 if it is gone."""
        below = [process.pid for process in processes.tree(self.pid)[1:2]]
        return sum(map(processes.resident_memory, below))

    def open_session(self) -> socket.socket:
        """A new line to the zygote, for a `Session` in whichever process gets it. The session lasts as long as it.

        Raises:
            SandboxError: the zygote has ended.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                socket.send_fds(self._control, [b"session"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise SandboxError(f"expected the sandbox to be alive, found: {error}; start it again.") from None
        return ours

    def close(self) -> None:
        """End the zygote and every worker."""
        self._control.close()
        try:
            self._process.wait(CLOSE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()
        if self.level is not Level.NAMESPACES:
            wipe(self._scratch)

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _order(self, program: Program, seen: Visible, canary: str) -> None:
        """Send both messages: the first to `root.py`, the second to the zygote that it becomes."""
        namespaces = self.level is Level.NAMESPACES
        user = UNPRIVILEGED_USER if os.geteuid() == 0 else None
        command = [sys.executable, "-I", "-B", "-c", _BOOT, str(PACKAGE.parent)]
        plan = {"namespaces": namespaces, "paths": seen.paths, "links": seen.links, "user": user, "command": command}
        plan["scratch"] = "" if namespaces else self._scratch
        ground = Ground(
            level=self.level,
            readable=seen.paths,
            kept=tuple(seen.within(PRIVATE_FOLDERS)),
            capabilities=self._powers(seen, user),
        )
        becomes = user if self.level is Level.LANDLOCK else None  # in namespaces, `root.py` has seen to that
        orders = {"ground": asdict(ground), **asdict(program), "canary": canary, "scratch": self._scratch}
        orders["user"] = becomes
        if becomes is not None:
            os.chown(self._scratch, becomes, becomes)
        for message in (plan, orders):
            self._control.send(json.dumps(message).encode())

    def _powers(self, seen: Visible, user: int | None) -> tuple[int, ...]:
        """What root must keep so that an unprivileged user can read a Python that lies in root's home."""
        if self.level is not Level.LANDLOCK or user is None or all(map(open_to_all, seen.paths)):
            return ()
        has = linux.capabilities()
        return tuple(power for power in (linux.CAP_DAC_READ_SEARCH, linux.CAP_DAC_OVERRIDE) if power in has)[:1]

    def _wait_ready(self, canary: str) -> None:
        self._control.settimeout(START_SECONDS)
        try:
            message = self._control.recv(1 << 20)
        except TimeoutError:
            raise SandboxError(
                f"expected the sandbox to start within {START_SECONDS} s, found it still busy."
            ) from None
        except ConnectionResetError:  # it ended before it had read its orders
            message = b""
        said: dict[str, Any] = json.loads(message) if message else {"failed": self._last_words()}
        if "refused" in said:
            raise _Refused(said["refused"])
        if "exposed" in said:
            raise SandboxError(
                f"expected {canary} to be hidden from submissions, found that a worker can read it; "
                "keep hidden files out of Python's folders and of the paths shown to workers."
            )
        if "failed" in said:
            raise SandboxError(f"expected the sandbox to warm up, found: {said['failed']}.")
        self.start_up = said["ready"]
        self._control.settimeout(None)

    def _last_words(self) -> str:
        code = self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else f"its process ended with {code}"


def _means(level: Level) -> str:
    """What a level consists of here, in a few words."""
    version = landlock.abi()
    if level is Level.NAMESPACES:
        return f"namespaces, own root, {f'Landlock {version}' if version else 'no Landlock'}, seccomp"
    if level is Level.LANDLOCK:
        network = "TCP to high ports is open" if landlock.restricts_tcp() else "no network, not even for two ranks"
        return f"Landlock {version} and seccomp, one worker at a time, {network}"
    return "no confinement"
