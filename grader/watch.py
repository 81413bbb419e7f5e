"""The watch over one submission's workers: what they use, checked while the trusted side waits for an answer.

Processor time counts first, so that a loaded machine fails nobody; wall time, with slack, stops what sleeps.
"""

import signal
import time
from collections.abc import Callable, Mapping

from grader.course import Limits
from grader.errors import LimitExceeded
from grader.sandbox.launch import Exit, Session, Worker, WorkerLimits
from grader.sandbox.remote import Handle, Remote, SocketChannel, Summary

KILLED = 128 + signal.SIGKILL
LOOK_SECONDS = 0.2  # between two looks at what a worker uses
MIB = 1 << 20
MAX_CHECK_BYTES = 512 * MIB  # that a worker may send during one check


class Watch:
    """Opens workers for one submission and adds up what they use over all of its checks."""

    def __init__(self, files: Mapping[str, bytes], session: Session, limits: Limits) -> None:
        self.files = files
        self.limits = limits
        self.cpu_seconds = 0.0
        """Of workers that have ended."""
        self.output = b""
        self.killed = False
        """A worker seems to have been ended by SIGKILL, neither by this watch nor by its limit of processor time."""
        self._session = session
        self._started = time.monotonic()

    def open_seat(self, wrap: Callable[[Handle | Summary], object]) -> "WatchedSeat":
        """A worker with the submission's files.

        Raises:
            LimitExceeded: the submission's time is used up.
        """
        self.require_time_left(0.0)
        limits = self.limits
        worker = self._session.spawn(
            WorkerLimits(
                cpu_seconds=int(limits.submission_seconds) + 5,
                memory_mb=limits.memory_mb,
                scratch_mb=limits.scratch_mb,
                processes=limits.processes,
            )
        )
        return WatchedSeat(self, worker, wrap)

    def require_time_left(self, running: float) -> None:
        """Raises LimitExceeded when the submission's time is used up; `running` CPU seconds are not yet added."""
        limits = self.limits
        if self.cpu_seconds + running > limits.submission_seconds:
            raise LimitExceeded(f"the submission's {limits.submission_seconds:g} s of processor time are used up")
        if time.monotonic() - self._started > limits.submission_seconds * limits.wall_slack:
            raise LimitExceeded(f"the submission ran for {limits.submission_seconds * limits.wall_slack:g} s in all")

    def add(self, ended: Exit, output: bytes, *, gone: bool) -> None:
        """Account for a worker that has ended; `gone` if it had before this watch ended it."""
        no_status_of_its_own = ended.status in (KILLED, None)
        self.killed |= gone and no_status_of_its_own and ended.cpu_seconds < self.limits.submission_seconds
        self.cpu_seconds += ended.cpu_seconds
        self.output += output


class WatchedSeat:
    """One live worker of the submission, as the suite sees it."""

    def __init__(self, watch: Watch, worker: Worker, wrap: Callable[[Handle | Summary], object]) -> None:
        self._watch = watch
        self._worker = worker
        self._cpu_seconds = self._cpu_before = 0.0
        self._check_started = time.monotonic()
        self._next_look = self._check_started + LOOK_SECONDS
        self._channel = SocketChannel(worker.connection, self._look)
        self._received_before = 0
        self.remote = Remote(self._channel, wrap)
        try:
            self.remote.write_files(watch.files)
        except BaseException:
            self.leave()
            raise

    def begin_check(self) -> None:
        """From here on, time counts for a new check."""
        self._cpu_seconds = self._cpu_before = self._worker.usage().cpu_seconds
        self._check_started = time.monotonic()
        self._received_before = self._channel.received
        self._watch.require_time_left(self._cpu_seconds)

    def leave(self) -> str:
        """End the worker; says how it ended if it had ended by itself."""
        ended = self._worker.kill()
        self._watch.add(ended, self._worker.output(), gone=self._worker.gone)
        return _how(ended.status)

    def _look(self) -> None:
        """Runs while the trusted side waits for the worker, and at each piece of what it sends."""
        if self._channel.received - self._received_before > MAX_CHECK_BYTES:
            raise LimitExceeded(f"it sent more than {MAX_CHECK_BYTES // MIB} MiB")
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + LOOK_SECONDS
        limits, usage = self._watch.limits, self._worker.usage()
        self._cpu_seconds = usage.cpu_seconds
        if usage.cpu_seconds - self._cpu_before > limits.check_seconds:
            raise LimitExceeded(f"it used more than {limits.check_seconds:g} s of processor time")
        if now - self._check_started > limits.check_seconds * limits.wall_slack:
            raise LimitExceeded(f"it took longer than {limits.check_seconds * limits.wall_slack:g} s")
        if usage.memory_bytes > limits.memory_mb * MIB:
            raise LimitExceeded(f"its processes used more than {limits.memory_mb} MiB of memory")
        if usage.scratch_bytes > limits.scratch_mb * MIB:
            raise LimitExceeded(f"its files took more than {limits.scratch_mb} MiB")
        self._watch.require_time_left(usage.cpu_seconds)


def _how(status: int | None) -> str:
    """A process's exit status in words."""
    if status is None:
        return "it could not be told how"
    if status >= 128:
        number = status - 128
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        return f"by signal {name}"
    return f"with exit code {status}"
