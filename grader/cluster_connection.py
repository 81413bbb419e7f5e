"""Reaching a Dask cluster: one that is there already, or N processes on this machine; one line where that fails."""

import logging
import re
import tempfile
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    import distributed

CONNECT_SECONDS = 10
CLOSE_SECONDS = 10
EXTRA = "pip install 'accelerate-assignments[cluster]'"
_LEAVE_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # Ctrl-C is the client's to hear
_LOCAL = re.compile(r"local:([1-9]\d*)")
_ADDRESS = re.compile(r"(tcp|tls|ws|wss)://[^\s/]+:\d+")


class Connection:
    """A client of a scheduler, and the cluster itself where it is our own.

    Args:
        address: `local:N` for N processes on this machine, or a scheduler's, such as `tcp://scheduler:8786`.
        jobs: threads of a local cluster in all, at least one for each process.

    Raises:
        UsageError: no such address, nobody answers there, or Dask is not installed.
    """

    def __init__(self, address: str, jobs: int) -> None:
        local = _LOCAL.fullmatch(address)
        if not local and not _ADDRESS.fullmatch(address):
            raise UsageError(
                f"expected local:N or a Dask scheduler's address such as tcp://scheduler:8786, found {address!r}."
            )
        try:
            import distributed
            from distributed.versions import VersionMismatchWarning
        except ImportError:
            raise UsageError(f"--cluster needs Dask, which is not installed: {EXTRA}") from None
        logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what matters is said in words of our own
        warnings.filterwarnings("ignore", category=VersionMismatchWarning)  # and versions are compared by the workers
        warnings.filterwarnings("ignore", message="Sending large graph")  # a large submission is none
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._cluster: distributed.LocalCluster | None = None
        if local:
            self._scratch = tempfile.TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True)
            self._cluster = _local_cluster(int(local[1]), jobs, self._scratch.name)
        try:
            self.client = distributed.Client(
                self._cluster or address, timeout=CONNECT_SECONDS, set_as_default=False, direct_to_workers=False
            )
        except (OSError, TypeError, ValueError) as error:
            self._close_cluster()
            hint = (
                "set DASK_DISTRIBUTED__COMM__TLS__CA_FILE and its like" if address.startswith("tls") else "is it there?"
            )
            raise UsageError(f"no Dask scheduler can be reached at {address} ({_first_line(error)}): {hint}") from None

    def close(self, farewell: Callable[["distributed.Client"], object]) -> None:
        """Say farewell and leave; a cluster of our own ends. Each takes some seconds at most, whoever does not answer."""
        _within(CLOSE_SECONDS, lambda: farewell(self.client))
        _within(CLOSE_SECONDS, self.client.close)
        self._close_cluster()

    def _close_cluster(self) -> None:
        if self._cluster is not None:
            _within(2 * CLOSE_SECONDS, partial(self._cluster.close, timeout=CLOSE_SECONDS))
        if self._scratch is not None:
            self._scratch.cleanup()


def _local_cluster(workers: int, jobs: int, scratch: str) -> "distributed.LocalCluster":
    """Worker processes of this machine, which talk to each other and to us under certificates of their own."""
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=max(1, jobs // workers),
            processes=True,
            security=True,
            host="127.0.0.1",
            dashboard_address=None,
            memory_limit=0,
            local_directory=scratch,
            preload=_LEAVE_INTERRUPTS,
            silence_logs=logging.CRITICAL,
        )
    except ImportError as error:
        raise UsageError(f"--cluster local:{workers} needs {error.name}, which is not installed: {EXTRA}") from None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _within(seconds: float, call: Callable[[], object]) -> None:
    """Call, and wait for it for so long at most; an error on leaving is nobody's."""

    def quietly() -> None:
        try:
            call()
        except Exception as error:
            logging.getLogger(__name__).debug("on leaving: %s", error)

    thread = threading.Thread(target=quietly, daemon=True)
    thread.start()
    thread.join(seconds)
