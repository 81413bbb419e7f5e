"""Frames on the socket between the trusted side and a worker: one msgpack header and its raw buffers.

    u32 header bytes | u32 buffers | u64 bytes of each buffer … | header | buffers …        (little endian)

Reading checks every length before it allocates, and executes nothing. The caller's `tick` runs before each piece that is
read, and between the short slices in which waiting goes on: it may look at the clock and at what the worker uses, and
raises to give up. So neither silence stops the clock, nor a drip, nor a flood.
"""

import socket
import struct
from collections.abc import Callable

from grader.errors import ProtocolError

MAX_HEADER = 4 << 20  # a list of half a million numbers; arrays travel as buffers
MAX_BUFFERS = 4096
MAX_BUFFER_BYTES = 256 << 20  # of one frame, all buffers together
SLICE_SECONDS = 0.05
CHUNK = 1 << 16

Tick = Callable[[], None]


class ConnectionLost(Exception):
    """The other side closed the connection (its process ended)."""


def _never() -> None:
    """Wait for ever: the worker's own tick."""


def send_frame(sock: socket.socket, header: bytes, buffers: list[memoryview], tick: Tick = _never) -> None:
    """Write one frame.

    Raises:
        ConnectionLost: the other side is gone.
    """
    lengths = [buffer.nbytes for buffer in buffers]
    head = struct.pack(f"<II{len(buffers)}Q", len(header), len(buffers), *lengths) + header
    parts = [memoryview(head), *(buffer for buffer in buffers if buffer.nbytes)]
    sock.settimeout(SLICE_SECONDS)
    while parts:
        try:
            sent = sock.sendmsg(parts[:64])
        except TimeoutError:
            tick()
            continue
        except OSError as error:
            raise ConnectionLost(str(error)) from None
        while parts and sent >= parts[0].nbytes:
            sent -= parts.pop(0).nbytes
        if sent:
            parts[0] = parts[0][sent:]


class FrameReader:
    """Reads frames, checking each announced length against the limits before it allocates."""

    def __init__(self, sock: socket.socket, max_header: int = MAX_HEADER) -> None:
        self._sock = sock
        self._max_header = max_header
        self._pending = bytearray()
        self.received = 0
        """Bytes so far, of all frames."""

    def receive(self, tick: Tick = _never) -> tuple[bytes, list[bytearray]]:
        """The next frame's header and buffers.

        Raises:
            ConnectionLost: the other side closed.
            ProtocolError: lengths beyond the limits.
        """
        header_bytes, n_buffers = struct.unpack("<II", self._take(8, tick))
        if header_bytes > self._max_header or n_buffers > MAX_BUFFERS:
            raise ProtocolError(f"frame of {header_bytes} header bytes and {n_buffers} buffers is over the limit")
        lengths = struct.unpack(f"<{n_buffers}Q", self._take(8 * n_buffers, tick))
        if sum(lengths) > MAX_BUFFER_BYTES:
            raise ProtocolError(f"frame of {sum(lengths)} bytes is over the limit of {MAX_BUFFER_BYTES}")
        header = bytes(self._take(header_bytes, tick))
        return header, [self._take(length, tick) for length in lengths]

    def _take(self, n_bytes: int, tick: Tick) -> bytearray:
        """The next `n_bytes`; the memory grows with what arrives, not with what was announced."""
        while len(self._pending) < min(n_bytes, CHUNK):
            self._pending += self._receive(CHUNK, tick)
        if n_bytes <= len(self._pending):
            taken = self._pending[:n_bytes]
            del self._pending[:n_bytes]
            return taken
        taken, self._pending = self._pending, bytearray()
        while len(taken) < n_bytes:
            taken += self._receive(min(n_bytes - len(taken), 16 * CHUNK), tick)
        return taken

    def _receive(self, at_most: int, tick: Tick) -> bytes:
        self._sock.settimeout(SLICE_SECONDS)
        while True:
            tick()
            try:
                chunk = self._sock.recv(at_most)
            except TimeoutError:
                continue
            except OSError as error:
                raise ConnectionLost(str(error)) from None
            if not chunk:
                raise ConnectionLost("closed")
            self.received += len(chunk)
            return chunk
