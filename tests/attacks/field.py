"""Where attacks take place: the arena with secrets planted all around it, a class in which every attacker sits beside an
honest neighbour, one run of the real command, and what was different afterwards."""

import contextlib
import ctypes
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attacks.attack import ARENA, TASKS, Attack, solution

from grader.results import SubmissionResult
from grader.sandbox import linux, processes
from grader.sandbox.terms import UNPRIVILEGED_USER
from grader.submission import file_name

ROOT = Path(__file__).parents[2]
GRADER = str(Path(sys.executable).with_name("grader"))
AS_SOMEBODY = [sys.executable, str(ROOT / "tests" / "sandbox_programs" / "as_somebody.py")]
REFUSING = [sys.executable, str(ROOT / "tests" / "sandbox_programs" / "without_namespaces.py")]
ORDINARY_USER = 60_801  # whom `as_somebody.py` becomes
TOKEN = re.compile(r"NEEDLE-[a-z_]+-[0-9a-f]{16}")
NEIGHBOUR = "{} (neighbour)"
FULL_POINTS = 80
LONGEST_RUN_SECONDS = 1800
TORCHS_OWN = "/torchinductor_"  # an empty folder for each user, made when the grader itself imports torch
SHARED_FOLDERS = ("/tmp", "/var/tmp", "/dev/shm")
IPC_CREAT, IPC_RMID, IPC_PRIVATE = 0o1000, 0, 0
SHM_BYTES = 4096


class Secrets:
    """Secrets by the place where each is planted; whoever reads one tells where it has been."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}

    def at(self, place: str) -> str:
        """The secret of a place."""
        return self._tokens.setdefault(place, f"NEEDLE-{place}-{secrets.token_hex(8)}")

    def found_in(self, text: str) -> set[str]:
        """The places whose secrets stand in a text."""
        tokens = set(TOKEN.findall(text))
        return {place for place, token in self._tokens.items() if token in tokens}


@dataclass
class Aftermath:
    """What a run of the command left behind."""

    code: int
    said: str
    """Both of the command's streams."""
    results: Mapping[str, SubmissionResult]
    gradebook: Mapping[str, float]
    raw: Mapping[str, str]
    """Each result's file as text."""
    left_processes: list[str] = field(default_factory=list)
    left_files: list[str] = field(default_factory=list)
    changed_files: list[str] = field(default_factory=list)
    callers: list[str] = field(default_factory=list)
    """Who called on the decoys."""
    secrets: Secrets = field(default_factory=Secrets)


class Decoys:
    """Servers on loopback, each of which tells a secret to whoever calls, and remembers the call."""

    def __init__(self, planted: Secrets) -> None:
        self.calls: list[str] = []
        self._planted = planted
        self._servers = [socket.create_server(("127.0.0.1", 0)), socket.socket(socket.AF_UNIX)]
        self.port = self._servers[0].getsockname()[1]
        self.name = f"arena-decoy-{secrets.token_hex(4)}"
        self._servers[1].bind(f"\0{self.name}")
        self._servers[1].listen()
        for kind, server in zip(("loopback", "abstract_socket"), self._servers, strict=True):
            threading.Thread(target=self._serve, args=(kind, server), daemon=True).start()

    def _serve(self, kind: str, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                caller, _ = server.accept()
                with caller:
                    self.calls.append(kind)
                    caller.sendall(self._planted.at(kind).encode())

    def close(self) -> None:
        for server in self._servers:
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for callers
            server.close()


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write a submission."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


class Field:
    """A course, a class and their surroundings in a folder of their own, everything in it open to all."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="arena-"))
        self.secrets = Secrets()
        self.course, self.handed_in = self.root / "course", self.root / "class"
        self.out = self.root / f"out-{self.secrets.at('command_line')}"
        self._plant_course()
        self._plant_results()

    def _plant_course(self) -> None:
        shutil.copytree(ARENA, self.course, ignore=shutil.ignore_patterns("__pycache__", "plain"))
        suite = self.course / "tests" / "hidden" / "arena" / "test_measure.py"
        suite.write_text(suite.read_text() + f'\nSECRET = "{self.secrets.at("suite")}"\n')
        cached = suite.parent / "__pycache__"
        cached.mkdir()
        (cached / "test_old.cpython-311.pyc").write_bytes(self.secrets.at("bytecode").encode())
        for task in TASKS:
            path = self.course / "solutions" / "arena" / f"{task}.py"
            path.write_text(path.read_text() + f"\n# {self.secrets.at('solution')}\n")
        for name, place in {".git/HEAD": "git", "fixtures/arena/hidden/labels.csv": "hidden_data"}.items():
            write_files(self.course, {name: f"row,label\n1,{self.secrets.at(place)}\n"})

    def _plant_results(self) -> None:
        (self.out / "results").mkdir(parents=True)
        (self.out / "notes.txt").write_text(self.secrets.at("results"))

    def seat(self, attacks: Sequence[Attack]) -> None:
        """Put the attackers into the class, each before an honest neighbour."""
        for attack in attacks:
            write_files(self.handed_in / attack.name, attack.files)
            honest = {f"{task}.py": solution(task) for task in TASKS}
            honest["measure.py"] += f"\n# {attack.name}'s neighbour: {self.secrets.at('neighbour')}\n"
            write_files(self.handed_in / NEIGHBOUR.format(attack.name), honest)

    def own(self, user: int) -> None:
        """Give everything to a user."""
        for path in [self.root, *self.root.rglob("*")]:
            os.lchown(path, user, user)

    def run(self, prefix: Sequence[str] = (), *, jobs: int = 2, more: Sequence[str] = ()) -> Aftermath:
        """Grade the class by the real command, behind a prefix that changes who runs it."""
        for path in [self.root, *self.root.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        command = [*prefix, GRADER, "grade", "arena", str(self.handed_in), "--course", str(self.course)]
        command += ["--out", str(self.out), "--jobs", str(jobs), *more]
        before = self._state()
        with self._surroundings() as (environment, descriptor, decoys), adopting():
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[descriptor],
                timeout=LONGEST_RUN_SECONDS,
                cwd=self.root,
            )
            left = adopted()
        after = self._state()
        raw = {path.name: path.read_text("utf-8") for path in (self.out / "results").glob("*.json")}
        results = [SubmissionResult.from_json(text.encode()) for text in raw.values()]
        return Aftermath(
            done.returncode,
            done.stdout.decode("utf-8", "replace"),
            {result.student: result for result in results},
            recorded(self.out / "gradebook.db"),
            {result.student: raw[f"{file_name(result.student)}.json"] for result in results},
            left,
            sorted(name for name in after["shared"].keys() - before["shared"].keys() if TORCHS_OWN not in name),
            sorted(path for path in before["own"] if before["own"][path] != after["own"].get(path)),
            decoys.calls,
            self.secrets,
        )

    def close(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def _state(self) -> dict[str, dict[str, object]]:
        """Contents of what is the course's and the class's own, and what lies in the folders that everybody shares."""
        own = [path for place in (self.course, self.handed_in) for path in place.rglob("*") if path.is_file()]
        own.append(self.out / "notes.txt")
        users = {UNPRIVILEGED_USER, ORDINARY_USER}
        shared = {}
        for folder in SHARED_FOLDERS:
            for entry in os.scandir(folder):
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat(follow_symlinks=False).st_uid in users or entry.name.startswith(("sandbox-", "drop")):
                        shared[entry.path] = True
        shared.pop(str(self.root), None)
        return {"own": {str(path): (path.read_bytes(), path.stat().st_mode) for path in own}, "shared": shared}

    @contextlib.contextmanager
    def _surroundings(self) -> Iterator[tuple[dict[str, str], int, Decoys]]:
        """Secrets in the environment, an open descriptor, System V and POSIX shared memory, and servers that tell one."""
        decoys = Decoys(self.secrets)
        posix = Path("/dev/shm", f"arena-{secrets.token_hex(4)}")
        posix.write_text(self.secrets.at("posix_shared_memory"))
        with tempfile.TemporaryFile(dir=self.root) as unlinked, _system_v(self.secrets.at("system_v_shared_memory")):
            unlinked.write(self.secrets.at("descriptor").encode())
            unlinked.flush()
            facts = {"ARENA_PORT": str(decoys.port), "ARENA_SOCKET": decoys.name}
            environment = {**os.environ, "ARENA_SECRET": self.secrets.at("environment"), **facts}
            try:
                yield {**environment, "PYTHONPATH": "", "COLUMNS": "200"}, unlinked.fileno(), decoys
            finally:
                decoys.close()
                posix.unlink()


@contextlib.contextmanager
def _system_v(secret: str) -> Iterator[None]:
    """A System V segment that everybody may read, with a secret in it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = linux.check(libc.shmget(IPC_PRIVATE, SHM_BYTES, IPC_CREAT | 0o666), "shmget")
    address = libc.shmat(segment, None, 0)
    ctypes.memmove(address, secret.encode(), len(secret))
    libc.shmdt(ctypes.c_void_p(address))
    try:
        yield
    finally:
        libc.shmctl(segment, IPC_RMID, None)


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Processes that lose their parent come to this one, so that none gets away."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 0)


def adopted() -> list[str]:
    """Names of the processes that outlived the command."""
    names = []
    for process in processes.tree(os.getpid())[1:]:
        with contextlib.suppress(OSError):
            if process.running:
                names.append(Path(f"/proc/{process.pid}/comm").read_text().strip())
    return names


def recorded(database: Path) -> dict[str, float]:
    """Each student's score in the gradebook, read without the grader's code."""
    import sqlite3

    query = """
        select submitted_assignment.student_id, sum(coalesce(grade.manual_score, grade.auto_score))
        from submitted_assignment
        join submitted_notebook on submitted_notebook.assignment_id = submitted_assignment.id
        join grade on grade.notebook_id = submitted_notebook.id
        group by submitted_assignment.student_id
    """
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return dict(connection.execute(query).fetchall())
