"""The warm process: it imports what takes seconds once, and answers requests until the watcher has gone."""

import importlib
import os
import signal
import sys
from contextlib import chdir, redirect_stdout
from multiprocessing import parent_process
from multiprocessing.connection import Connection
from pathlib import Path

from grader.desk.messages import Done, Ready


def work(connection: Connection, folder: Path, libraries: list[str], limit: float) -> None:
    """Be the warm process: run rounds of self-checks in `folder`, each check for `limit` seconds at most."""
    _settle()
    import pytest

    from grader.desk.checking import arguments
    from grader.desk.rounds import Rounds, receive

    for library in ("torch._dynamo", "accelerate", "matplotlib.pyplot", "pandas", *libraries):
        importlib.import_module(library)
    connection.send(Ready())
    request = receive(connection)
    while request is not None:
        rounds = Rounds(connection, sys.stdout, limit, request)
        if hasattr(signal, "SIGUSR1"):
            signal.signal(signal.SIGUSR1, rounds.superseded)
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), chdir(folder):
            pytest.main(arguments(folder), plugins=[rounds])
        sys.stdout.flush()
        if not rounds.collected:  # what is wrong with the checks was said; a change of them comes as a request
            connection.send(Done(request.number))
            rounds.next = receive(connection)
        request = rounds.next
        _forget(folder)


def _settle() -> None:
    """The watcher ends this process: the terminal's Ctrl-C is not for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "SIGUSR1"):
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    if sys.platform == "linux":
        from grader.sandbox import linux

        linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)  # a watcher that is killed cannot end this process
        watcher = parent_process()
        if watcher is None or os.getppid() != watcher.pid:
            sys.exit(1)  # it was killed before
    if hasattr(os, "setsid"):
        os.setsid()  # what the student's code starts can be ended with it
    sys.dont_write_bytecode = (
        True  # of two saves within a second, the first one's byte code would be taken for the second's
    )


def _forget(folder: Path) -> None:
    """Drop the modules of the checks, so that these are read anew."""
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__dict__", {}).get("__file__")
        if isinstance(path, str) and Path(path).parent == folder:
            del sys.modules[name]
