"""An attack: what is handed in, what it tries, what its honest part is worth, and what an ordinary autograder makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

ARENA = Path(__file__).with_name("arena")
TASKS = ("measure", "learn", "draw")
SOLUTIONS = ARENA / "solutions" / "arena"

Files = dict[str, str | bytes]


class Plain(StrEnum):
    """What an attack achieves where student code runs in the process that judges it: the proof that it is a real one."""

    GAINS = "gains points"
    LEARNS = "learns a secret"
    ENDS = "ends or spoils the whole run"
    UNTRIED = "not tried: it would harm the machine, or aims at something that a plain run does not have"


@dataclass(frozen=True)
class Attack:
    """A submission that tries to gain, to learn or to break something."""

    name: str
    tries: str
    """One clause: `reads the hidden suite's source from the folders around its own`."""
    files: Mapping[str, str | bytes]
    plain: Plain
    earns: float = 0
    """Points that the honest part of the work is worth: exactly these are what it may get."""
    learns_at_fallback: frozenset[str] = frozenset()
    """Secrets that it does learn where the machine's network is open to it, as SECURITY.md says."""
    may_cost_itself: bool = False
    """It uses up what its own later checks would need: it may get less, according to how busy the machine is."""


SPY = '''
"""Looks for what is hidden. Every secret that the tests plant begins alike; what is found is told in every way."""

import os
import re

PREFIX = b"NEE" + b"DLE-"
TOKEN = re.compile(PREFIX + rb"[a-z_]+-[0-9a-f]{16}")
MOST = 64 << 20


def look(data):
    """Tell of every secret in these bytes or this text."""
    data = data.encode("utf-8", "replace") if isinstance(data, str) else bytes(data)
    for token in sorted(set(TOKEN.findall(data))):
        print("FOUND", token.decode(), flush=True)
        FOUND.append(token.decode())


def look_into(path):
    """Tell of every secret in a file, if it can be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return
    try:
        look(os.read(descriptor, MOST))
    except OSError:
        pass
    finally:
        os.close(descriptor)


def look_below(folder, depth=6):
    """Tell of every secret in the names and files below a folder."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        look(entry.path)
        try:
            if entry.is_dir(follow_symlinks=False):
                if depth:
                    look_below(entry.path, depth - 1)
            elif entry.is_file(follow_symlinks=False) and entry.stat().st_size < MOST:
                look_into(entry.path)
        except OSError:
            pass


FOUND = []
'''
"""Handed in as `spy.py` by attacks that read."""


def solution(task: str) -> str:
    """The right answer to a task."""
    return (SOLUTIONS / f"{task}.py").read_text("utf-8")


def starter(task: str) -> str:
    """A task's functions, none of them written."""
    unwritten = f'\n    raise NotImplementedError("{task}")\n'
    lines = solution(task).splitlines()
    imports = [line for line in lines if line.startswith(("import ", "from "))]
    return "\n".join([*imports, "", *(line + unwritten for line in lines if line.startswith("def "))])


def hand_in(*solved: str, before: str = "", after: str = "", at: str = "measure", **more: str | bytes) -> Files:
    """The solved tasks, starters for the others, and a piece of code before or after what stands in task `at`.

    `more` are further files, `spy` always is: `conftest="…"` is `conftest.py`; names with a dot are themselves.
    """
    files: Files = {f"{task}.py": solution(task) if task in solved else starter(task) for task in TASKS}
    files[f"{at}.py"] = f"{before.strip()}\n\n{files[f'{at}.py']}\n\n{after.strip()}\n".lstrip("\n")
    files["spy.py"] = SPY
    return files | {(name if "." in name else f"{name}.py"): content for name, content in more.items()}
