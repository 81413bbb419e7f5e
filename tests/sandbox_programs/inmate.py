"""What the sandbox's tests run inside it: a `serve` that calls functions of this file and of `greed`, each an attempt.

Every attempt is bounded: it harms nobody if the sandbox does not hold it.
"""

import contextlib
import ctypes
import json
import multiprocessing
import os
import random
import resource
import shutil
import socket
import sys
import threading

import greed

MAX_MESSAGE = 1 << 20


def serve(connection, scratch):
    """Answer `[function, arguments]` with `{"value": …}` or `{"raised": …, "errno": …}` until the connection closes."""
    while message := connection.recv(MAX_MESSAGE):
        name, arguments = json.loads(message)
        try:
            answer = {"value": (vars(greed) | globals())[name](*arguments)}
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
