"""What the sandbox's tests run inside it: a `serve` that answers calls of this file's functions, each an attempt.

Every attempt is bounded: it harms nobody if the sandbox does not hold it.
"""

import contextlib
import ctypes
import json
import mmap
import multiprocessing
import os
import random
import resource
import shutil
import signal
import socket
import sys
import threading
import time

MAX_MESSAGE = 1 << 20


def serve(connection, scratch):
    """Answer `[function, arguments]` with `{"value": …}` or `{"raised": …, "errno": …}` until the connection closes."""
    while message := connection.recv(MAX_MESSAGE):
        name, arguments = json.loads(message)
        try:
            answer = {"value": globals()[name](*arguments)}
        except Exception as error:
            answer = {"raised": type(error).__name__, "errno": getattr(error, "errno", None), "text": str(error)}
        connection.sendall(json.dumps(answer).encode())
    os._exit(0)


def echo(value):
    return value


def read(path):
    with open(path, "rb") as file:
        return file.read(1000).decode("utf-8", "replace")


def write(path, megabytes=0):
    """Write at least one byte."""
    with open(path, "wb") as file:
        file.write(b"x")
        for _ in range(megabytes):
            file.write(bytes(1 << 20))
    return os.path.getsize(path)


def entries(path):
    return sorted(os.listdir(path))


def change_mode(path, mode):
    os.chmod(path, mode)


def change_owner(path):
    os.chown(path, os.getuid(), os.getgid())


def truncate(path):
    """Without opening it for writing."""
    os.close(os.open(path, os.O_RDONLY | os.O_TRUNC))


def copy(source, target):
    """With modes and times."""
    return shutil.copy2(source, target)


def exists(path):
    return os.path.lexists(path)


def environment():
    return dict(os.environ)


def where():
    return {"folder": os.getcwd(), "uid": os.getuid(), "pid": os.getpid(), "threads": threading.active_count()}


def visible_processes():
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())


def capabilities():
    with open("/proc/self/status") as file:
        return {line.split()[0]: line.split()[1] for line in file if line.startswith(("Cap", "NoNewPrivs", "Seccomp:"))}


def random_numbers():
    numpy = sys.modules.get("numpy")
    return [random.random(), float(numpy.random.random()) if numpy else None]


def system_call(number, *arguments):
    """The errno of a raw system call (its other arguments are 0); 0 if it went through."""
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(value) for value in (*arguments, 0, 0, 0, 0)))
    return ctypes.get_errno() if result < 0 else 0


def open_socket(family, kind=socket.SOCK_STREAM, protocol=0):
    socket.socket(family, kind, protocol).close()


def connect(address):
    """To `[host, port]`, or to a unix socket's path."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as caller:
        caller.settimeout(2)
        caller.connect(address if isinstance(address, str) else tuple(address))


def talk_to_oneself():
    """Over TCP on the loopback device."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
        caller.sendall(b"hello")
        other, _ = server.accept()
        with other:
            return other.recv(5).decode()


def share_a_lock():
    """With a forked process, through /dev/shm."""
    context = multiprocessing.get_context("fork")
    counter = context.Value("i", 0)

    def add():
        for _ in range(100):
            with counter.get_lock():
                counter.value += 1

    processes = [context.Process(target=add) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return counter.value


def send_signal(pid, number):
    os.kill(pid, number)


def signal_group(number):
    """To every process in reach, this one excepted by the kernel."""
    os.kill(-1, number)


def parent():
    return os.getppid()


def lower_limit_of(pid):
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (8, 8))


def memory_of(pid):
    with open(f"/proc/{pid}/mem", "rb") as file:
        file.read(1)


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


held = []


def share_with_children(megabytes, children):
    """Children that only look at what their parent holds."""
    hold(megabytes)
    for _ in range(children):
        if os.fork() == 0:
            time.sleep(600)
            os._exit(0)


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


def make_deep_mess(depth):
    """Nested folders that may not be entered, and a link that leads out."""
    os.symlink("/etc", "way-out")
    for _ in range(depth):
        os.mkdir("d")
        os.chdir("d")
    for _ in range(depth):
        os.chdir("..")
    os.chmod("d", 0)


def say(text, times=1):
    for _ in range(times):
        print(text)
    sys.stdout.flush()


def die(number):
    os.kill(os.getpid(), number)


def leave(code):
    os._exit(code)


def descriptors():
    """Open descriptors and what they lead to."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found[name] = os.readlink(f"/proc/self/fd/{name}")
    return found


def peer_handle(descriptor):
    """A handle on the process at the other end of a unix socket (SO_PEERPIDFD)."""
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        return connection.getsockopt(socket.SOL_SOCKET, 77)


def run(command):
    """A program of the system."""
    import subprocess

    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


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
