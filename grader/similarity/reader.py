"""Streams of hostile source, read by a process of its own that has limits: what it costs, it costs nobody else.

    python -m grader.similarity.reader      (requests on standard input, an answer for each on standard output)

Python's parser may run out of stack or memory on source that was made for it. The process is asked again and again, and
a new one is started where one has ended.
"""

import contextlib
import hashlib
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator, Mapping
from typing import IO

import msgspec

from grader.errors import GraderFault
from grader.similarity.stream import LARGEST_FILE, Stream, read

CPU_SECONDS, WALL_SECONDS = 5, 60
"""For one request, which is a file, or the files of a submission."""
MEMORY_BYTES = 1 << 30
MOST_FILES = 60
"""Of one submission; the others are named."""
MOST_BYTES = 1 << 20
"""Of all of them."""
MOST_ENDED = 2
"""Processes that one submission may cost."""
TOO_MUCH = f"not compared: Python does not read it in {CPU_SECONDS} s and 1 GB"


class Read(msgspec.Struct, frozen=True, array_like=True):
    """One file's stream as numbers."""

    tokens: bytes
    """An `array("Q")`: a digest of each token."""
    lines: bytes
    """An `array("I")`, the same length."""
    lengths: list[int]
    """Tokens of each passage, in order."""
    problem: str = ""


class Reader:
    """Reads submissions one after the other."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, files: Mapping[str, bytes]) -> dict[str, Read]:
        """The streams of Python files by their names; of what cannot be read, a `problem` alone.

        Raises:
            GraderFault: no process can be started.
        """
        asked: dict[str, bytes] = {}
        left_out: dict[str, Read] = {}
        room = MOST_BYTES
        for name, content in sorted(files.items()):
            if len(content) > LARGEST_FILE:
                left_out[name] = as_numbers(read(content))  # says so, and looks no further
            elif len(asked) == MOST_FILES or len(content) > room:
                left_out[name] = _unread(f"not compared: more than {MOST_FILES} files, or {MOST_BYTES >> 20} MB in all")
            else:
                asked[name] = content
                room -= len(content)
        answer = self._ask(asked)
        return (answer if answer is not None else dict(self._one_by_one(asked))) | left_out

    def _one_by_one(self, files: Mapping[str, bytes]) -> Iterator[tuple[str, Read]]:
        """Each file by itself, to find out which one ends the process; after some, the rest is left."""
        ended = 0
        for name, content in files.items():
            answer = self._ask({name: content}) if ended < MOST_ENDED else None
            ended += answer is None
            yield name, answer[name] if answer else _unread(TOO_MUCH)

    def _ask(self, files: Mapping[str, bytes]) -> dict[str, Read] | None:
        """The answer to one request; None where the process did not live to give it."""
        if self._process is None:
            self._process = _started()
        process = self._process
        assert process.stdin is not None  # both are pipes
        assert process.stdout is not None
        watch = threading.Timer(WALL_SECONDS, process.kill)
        watch.start()
        try:
            _send(process.stdin, msgspec.msgpack.encode(files))
            return msgspec.msgpack.decode(_receive(process.stdout), type=dict[str, Read])
        except (OSError, EOFError, msgspec.DecodeError):
            self.close()
            return None
        finally:
            watch.cancel()

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            process.communicate()


def _unread(problem: str) -> Read:
    return Read(b"", b"", [], problem)


def _started() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "grader.similarity.reader"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise GraderFault(f"no process can be started to read submissions: {error.strerror}") from None


def _send(to: IO[bytes], message: bytes) -> None:
    to.write(len(message).to_bytes(8, "big"))
    to.write(message)
    to.flush()


def _receive(source: IO[bytes]) -> bytes:
    """One message.

    Raises:
        EOFError: there is no more.
    """
    head = source.read(8)
    message = source.read(int.from_bytes(head, "big")) if len(head) == 8 else b""
    if len(head) < 8 or len(message) < int.from_bytes(head, "big"):
        raise EOFError
    return message


def as_numbers(stream: Stream) -> Read:
    """A stream as numbers that are the same on every machine."""
    digests: dict[str, int] = {}
    tokens, lines = array("Q"), array("I")
    for passage in stream.passages:
        for token in passage.tokens:
            if token not in digests:
                whole = hashlib.blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()
                digests[token] = int.from_bytes(whole, "big")
            tokens.append(digests[token])
        lines.extend(passage.lines)
    lengths = [len(passage.tokens) for passage in stream.passages]
    return Read(tokens.tobytes(), lines.tobytes(), lengths, stream.problem)


def main() -> None:
    """Answer requests until there are no more."""
    source, to = sys.stdin.buffer, sys.stdout.buffer
    with contextlib.suppress(EOFError):
        while True:
            files = msgspec.msgpack.decode(_receive(source), type=dict[str, bytes])
            _limit()
            _send(to, msgspec.msgpack.encode({name: as_numbers(read(content)) for name, content in files.items()}))


def _limit() -> None:
    """From here on, this process may use so much; where the system has no such limits, the clock alone ends it."""
    with contextlib.suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


if __name__ == "__main__":
    main()
