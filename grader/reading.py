"""A notebook read in a process of its own, with limits: what costs Python's compiler dear costs nobody else.

    python -m grader.reading        (a request on standard input, its answer on standard output)

The compiler writes a `finally` block once for each way out of its `try`, so that a few nested ones become gigabytes.
"""

import contextlib
import subprocess
import sys

import msgspec

from grader.course import Assignment
from grader.errors import GraderFault, InvalidSubmission

CPU_SECONDS, WALL_SECONDS = 10, 120
MEMORY_BYTES = 1 << 30
TOO_MUCH = "expected a notebook that Python can read in 10 s and 1 GB, found more: too many `finally` in each other?"


class _Request(msgspec.Struct, frozen=True, array_like=True):
    data: bytes
    assignment: Assignment


class _Answer(msgspec.Struct, frozen=True):
    files: dict[str, bytes] = {}
    problem: str = ""


def read_apart(data: bytes, assignment: Assignment) -> dict[str, bytes]:
    """What `notebook.read_here` gives, from another process.

    Raises:
        InvalidSubmission: as there, or it took too much time or memory.
        GraderFault: the process ended without a word for a reason of its own.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "grader.reading"],
            input=msgspec.msgpack.encode(_Request(data, assignment)),
            capture_output=True,
            timeout=WALL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise InvalidSubmission(TOO_MUCH) from None
    if done.returncode < 0:
        raise InvalidSubmission(TOO_MUCH)
    if done.returncode:
        raise GraderFault(f"a notebook could not be read: {done.stderr.decode(errors='replace')[-300:]}")
    answer = msgspec.msgpack.decode(done.stdout, type=_Answer)
    if answer.problem:
        raise InvalidSubmission(answer.problem)
    return answer.files


def main() -> None:
    """Answer one request."""
    from grader.notebook import read_here

    request = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=_Request)
    limit(CPU_SECONDS, MEMORY_BYTES)
    try:
        answer = _Answer(read_here(request.data, request.assignment))
    except InvalidSubmission as error:
        answer = _Answer(problem=str(error))
    except MemoryError:
        answer = _Answer(problem=TOO_MUCH)
    sys.stdout.buffer.write(msgspec.msgpack.encode(answer))


def limit(cpu_seconds: int, memory_bytes: int) -> None:
    """From here on, this process may use so much; where the system has no such limits, the clock alone ends it."""
    with contextlib.suppress(ImportError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))


if __name__ == "__main__":
    main()
