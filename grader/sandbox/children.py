"""The zygote's workers, one `Child` each: forked, watched while it is confined, measured, killed.

Nothing here waits: what takes time is watched for in the loop.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from resource import struct_rusage

from grader.sandbox import confine, processes
from grader.sandbox.confine import Ground, Post
from grader.sandbox.loop import Loop
from grader.sandbox.processes import Process
from grader.sandbox.scratch import ScratchMeter, wipe
from grader.sandbox.terms import ENDED_EARLY, Exit, Level, Usage

ENDING_SECONDS = 2


class Child:
    """One worker, from its fork until nothing of it is left.

    `ready` is called once: with None when the worker serves, or with the reason why it could not be confined.
    """

    def __init__(self, loop: Loop, ground: Ground, post: Post, ready: Callable[[str | None], None]) -> None:
        self.exit: Exit | None = None
        """How it ended; None while anything of it lives."""
        self._loop = loop
        self._own_namespace = ground.level is Level.NAMESPACES
        self._scratch = post.scratch
        self._ready = ready
        self._told = b""
        self._when_ended: list[Callable[[Exit], None]] = []
        self._to_be_killed = False
        self._meter = processes.MemoryMeter()
        self._scratch_meter = None if self._own_namespace else ScratchMeter(post.scratch, post.limits.scratch_mb << 20)
        self._cpu_seconds = 0.0  # of processes that were waited for
        self._seen_cpu = 0.0  # at the last look
        self._most_cpu_seconds = post.limits.cpu_seconds
        self._memory_bytes = self._peak_bytes = 0
        self._status: int | None = None
        self._pid = self._handle = -1
        self._give_up_at = 0.0
        self._pipe, writing = os.pipe()
        self._first = os.fork()
        if self._first == 0:
            confine.enter(ground, replace(post, status=writing))
        os.close(writing)
        loop.watch(self._pipe, self._on_told)

    @property
    def doomed(self) -> bool:
        """Its end has been asked for."""
        return self._to_be_killed

    def usage(self) -> Usage:
        """What the worker's whole tree of processes has used; zeros once it has ended or before it serves."""
        if self.exit or self._pid < 0:
            return Usage(self._cpu_seconds, 0, 0)
        everything = processes.all_processes()
        tree = self._tree(everything)
        running = [process for process in tree[1:] if process.running]
        cpu_seconds = self._look_at_cpu(tree)
        if cpu_seconds <= self._most_cpu_seconds:  # beyond, its end has come, and memory takes longer to look at
            family = processes.tree(os.getpid(), everything)
            self._memory_bytes = self._meter.beyond(family[0], running, family)
            self._peak_bytes = max(self._peak_bytes, self._memory_bytes)
        scratch = self._scratch_meter.used(process.pid for process in running) if self._scratch_meter else 0
        return Usage(cpu_seconds, self._memory_bytes, len(running), scratch)

    def kill(self, then: Callable[[Exit], None] | None = None, *, ending: bool = False) -> None:
        """End the worker and all that came from it; `then` is called when nothing is left.

        With `ending`, it seems to be ending by itself, and has a moment left so that it can be told how it did.
        """
        if self.exit:
            if then:
                then(self.exit)
            return
        if then:
            self._when_ended.append(then)
        if self._to_be_killed:
            return
        self._to_be_killed = True
        if self._handle >= 0:
            self._look_at_cpu(self._tree())  # the kernel adds up nothing for a namespace that is taken down
            self._give_up_at = time.monotonic() + (ENDING_SECONDS if ending else 0)
            self._loop.tick(self._lose_patience)

    def _lose_patience(self) -> None:
        if self._handle < 0:
            self._loop.untick(self._lose_patience)
        elif time.monotonic() >= self._give_up_at:
            self._loop.untick(self._lose_patience)
            self._send_kill()

    def _tree(self, among: Mapping[int, Process] | None = None) -> list[Process]:
        """Init, or the zygote where there is none, and what descends from it."""
        return processes.tree(self._pid if self._own_namespace else os.getpid(), among)

    def _look_at_cpu(self, tree: list[Process]) -> float:
        counted = tree if self._own_namespace else tree[1:]  # init waits for orphans, the zygote for other workers too
        self._seen_cpu = self._cpu_seconds + sum(process.cpu_seconds for process in counted)
        return self._seen_cpu

    def _on_told(self) -> None:
        chunk = os.read(self._pipe, 4096)
        if chunk:
            self._told += chunk
            return
        self._loop.forget(self._pipe)
        os.close(self._pipe)
        lines = dict(line.partition(" ")[::2] for line in self._told.decode("utf-8", "replace").splitlines())
        if self._own_namespace:
            os.waitpid(self._first, 0)  # it has closed the pipe by ending
            self._pid = int(lines.get("pid", -1))
        else:
            self._pid = self._first
        serves = "ready" in lines and self._pid >= 0
        error = None if serves else lines.get("failed", ENDED_EARLY)
        if self._pid < 0:
            self._finish()
        else:
            self._handle = os.pidfd_open(self._pid)
            self._loop.watch(self._handle, self._on_exit)
            if error or self._to_be_killed:
                self._to_be_killed = True
                self._send_kill()
        self._ready(error)

    def _send_kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def _on_exit(self) -> None:
        """The process itself has ended; if it was the first of its pid namespace, so has all of the namespace."""
        _, status, used = os.wait4(self._pid, 0)
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            self._status = code
        elif not (self._to_be_killed and code == -signal.SIGKILL):
            self._status = 128 - code
        self._add(used)
        self._loop.forget(self._handle)
        os.close(self._handle)
        self._handle = -1
        if self._own_namespace:
            self._finish()
        else:
            self._loop.tick(self._sweep)

    def _sweep(self) -> None:
        """Without a namespace: kill all that is left below the zygote, until a look finds nothing."""
        left = processes.tree(os.getpid())[1:]
        for process in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.wait4(-1, os.WNOHANG))[0]:
                self._add(ended[2])
        if not left:
            self._loop.untick(self._sweep)
            wipe(self._scratch)
            self._finish()

    def _add(self, used: struct_rusage) -> None:
        self._cpu_seconds += used.ru_utime + used.ru_stime

    def _finish(self) -> None:
        self.exit = Exit(self._status, max(self._cpu_seconds, self._seen_cpu), self._peak_bytes)
        for then in self._when_ended:
            then(self.exit)
