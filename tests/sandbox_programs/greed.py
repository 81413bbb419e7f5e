"""What an inmate uses up or leaves behind: processor time, processes, memory, files; each attempt is bounded."""

import contextlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time

held = []


def fork_until_refused(most):
    """How many sleeping children there are when no more can be had."""
    for count in range(most):
        try:
            child = os.fork()
        except OSError:
            return count
        if child == 0:
            time.sleep(600)
            os._exit(0)
    return most


def fork_and_spin(seconds):
    """CPU time used in a child that is then waited for."""
    child = os.fork()
    if child == 0:
        spin(seconds)
        os._exit(0)
    os.waitpid(child, 0)


def leave_daemon():
    """A process in a session of its own whose parents are gone."""
    child = os.fork()
    if child == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            time.sleep(600)
        os._exit(0)
    os.waitpid(child, 0)


def spin(seconds):
    """Use processor time."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


def allocate(megabytes):
    """Memory of its own, written to; let go again."""
    return len(bytearray(megabytes << 20))


def hold(megabytes):
    """Memory that stays."""
    held.append(bytearray(os.urandom(1)) * (megabytes << 20))


def share_with_children(megabytes, children):
    """Children that only look at what their parent holds."""
    hold(megabytes)
    for _ in range(children):
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)


def start_programs(count, megabytes):
    """New programs that hold memory; returns when all do."""
    program = f"held = bytearray(b'x') * ({megabytes} << 20); print(flush=True); import time; time.sleep(600)"
    for _ in range(count):
        started = subprocess.Popen([sys.executable, "-I", "-S", "-c", program], stdout=subprocess.PIPE)
        started.stdout.readline()
        held.append(started)


def fill_behind_its_own_back(megabytes):
    """Memory to be shared with children that is full, although no page of it is in anybody's tables."""
    shared = mmap.mmap(-1, megabytes << 20)
    shared.write(b"x" * (megabytes << 20))
    shared.madvise(mmap.MADV_DONTNEED)
    held.append(shared)


def fill_sockets(children, pairs):
    """Sockets that are full of what nobody reads, in processes of their own."""
    for _ in range(children):
        reading, writing = os.pipe()
        if os.fork() == 0:
            for one, other in [socket.socketpair() for _ in range(pairs)]:
                one.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        one.send(bytes(4096))
                held.extend((one, other))
            os.write(writing, b"x")
            time.sleep(600)
        os.read(reading, 1)


def map_anonymous(megabytes):
    mmap.mmap(-1, megabytes << 20).close()


def open_until_refused(most):
    opened = []
    try:
        for _ in range(most):
            opened.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        pass
    for descriptor in opened:
        os.close(descriptor)
    return len(opened)


def make_files(folder, most):
    """How many empty files fit."""
    for count in range(most):
        try:
            with open(f"{folder}/{count}", "x"):
                pass
        except OSError:
            return count
    return most


def fill(folder, most_megabytes):
    """How many MiB fit."""
    written = 0
    with contextlib.suppress(OSError), open(f"{folder}/fill", "wb", buffering=0) as file:
        while written < most_megabytes:
            file.write(bytes(1 << 20))
            written += 1
    return written


def keep_deleted(megabytes):
    """A file that nobody can see any more, and that is there."""
    held.append(open("deleted", "wb"))  # noqa: SIM115  stays open
    os.unlink("deleted")
    held[-1].write(bytes(megabytes << 20))
    held[-1].flush()


def fill_in_the_dark(megabytes):
    """A file in a folder that may be written to and not looked into."""
    os.mkdir("dark", 0o300)
    return fill("dark", megabytes)


def make_deep_mess(depth):
    """Nested folders that may not be entered, and a link that leads out."""
    os.symlink("/etc", "way-out")
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    for _ in range(depth):
        os.chdir("..")
    os.chmod("d", 0)


def open_server():
    """A TCP server on the loopback device, left open; its port."""
    held.append(socket.create_server(("127.0.0.1", 0)))
    return held[-1].getsockname()[1]


def start_thread():
    """A warm-up that leaves a thread behind."""
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()


def leave_now():
    """A warm-up that does not come back."""
    os._exit(3)
