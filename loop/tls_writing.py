"""The outgoing half of a TLS transport: plain text that waits, and when it is encrypted.

Nothing is encrypted before the socket has taken what was encrypted before. So what waits is plain text: it is
counted, ``pause_writing`` is about it, and of a mutable buffer it is a copy.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from .flow_control import FlowControl
from .tls_engine import TlsEngine
from .tls_files import send_encrypted
from .tls_options import TlsOptions

if TYPE_CHECKING:
    from .streaming import Streaming
    from .tls import TlsTransport
    from .transports import SocketTransport

_HIGH_WATER = 512 * 1024  # CPython's for TLS
_ENCRYPTED_AT_ONCE = 256 * 1024


class TlsState(enum.Enum):
    SHAKING_HANDS = enum.auto()
    OPEN = enum.auto()
    CLOSING = enum.auto()  # what was written goes out, then close_notify; waiting for the peer's
    LOST = enum.auto()


class TlsWriting(FlowControl, asyncio.Transport):
    """What a TLS transport does with what is written to it."""

    __slots__ = (
        "_backlog",
        "_backlog_size",
        "_below",
        "_drained",
        "_engine",
        "_loop",
        "_raw",
        "_sends_file",
        "_state",
    )

    def __init__(self, loop: Streaming, protocol: asyncio.BaseProtocol, options: TlsOptions) -> None:
        super().__init__(protocol, {"sslcontext": options.context})
        self._loop: Streaming = loop
        self._engine = TlsEngine(options)
        self._raw: SocketTransport | TlsTransport | None = None  # until connection_made
        self._below: SocketTransport | TlsTransport  # from then on the same, without a question
        self._state = TlsState.SHAKING_HANDS
        self._backlog: deque[bytes | memoryview] = deque()
        self._backlog_size = 0  # bytes
        self._sends_file = False
        self._drained: asyncio.Future[None] | None = None  # of sendfile: all is encrypted
        self.set_write_buffer_limits(_HIGH_WATER)

    def is_closing(self) -> bool:
        """Whether it is closed, or will be once everything is sent and the peer has answered."""
        return self._state in (TlsState.CLOSING, TlsState.LOST)

    def can_write_eof(self) -> bool:
        """False: TLS is not closed in one direction alone."""
        return False

    def write_eof(self) -> None:
        """Not offered: NotImplementedError, as in CPython's loop."""
        raise NotImplementedError("write_eof(): TLS is not closed in one direction alone; close() ends both")

    def get_write_buffer_size(self) -> int:
        """Bytes written but not yet taken by the kernel, plain or encrypted."""
        return self._backlog_size + (0 if self._raw is None else self._raw.get_write_buffer_size())

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data``, now as far as possible; never blocks. The caller may change its buffer afterwards.

        TypeError for what is not bytes-like, RuntimeError during ``sendfile``. After ``close`` or a loss the
        data is dropped, with a warning in the log from the fifth time on.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"write() needs bytes, a bytearray or a memoryview, got {type(data).__name__}")
        if self._sends_file:
            raise RuntimeError("write() is refused: sendfile is in progress")
        if data:
            self._write(data)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send the concatenation of the items; otherwise as ``write``."""
        self.write(b"".join(list_of_data))

    def _write(self, data: bytes | bytearray | memoryview) -> None:
        if self.is_closing():
            self._note_vain_write()
            return
        if isinstance(data, memoryview) and (data.itemsize != 1 or not data.c_contiguous):
            data = data.tobytes()
        if (
            not self._backlog
            and len(data) <= _ENCRYPTED_AT_ONCE
            and self._state is TlsState.OPEN
            and not self._below.get_write_buffer_size()
        ):
            data = self._write_now(data)
            if not data:
                return
        kept = data if isinstance(data, bytes) else bytes(data)
        self._backlog.append(kept)
        self._backlog_size += len(kept)
        self._flush()

    def _write_now(self, data: bytes | bytearray | memoryview) -> bytes | memoryview:
        """Encrypt and send at once, as nothing waits; what is left of it. (echo 1 KiB: 3 of 21 us)"""
        raw = self._below
        try:
            sent = self._engine.encrypt(data)
        except OSError as error:  # an ssl.SSLError
            self._fail(error, "Fatal error on encrypting")
            return b""
        raw.write(self._engine.take_output())
        if raw.get_write_buffer_size():
            self._pause_if_high()
        return b"" if sent == len(data) else memoryview(data)[sent:]

    def _flush(self) -> None:
        """Encrypt and send for as long as the socket takes it; then see to what waits for that."""
        raw = self._below
        if self._state is TlsState.OPEN or self._state is TlsState.CLOSING:
            try:
                while self._backlog and not raw.get_write_buffer_size() and self._encrypt():
                    self._send_encrypted()
            except OSError as error:  # an ssl.SSLError
                self._fail(error, "Fatal error on encrypting")
                return
        self._send_encrypted()
        self._pause_if_high()
        self._resume_if_low()
        self._settle_drained()
        if self._state is TlsState.CLOSING and not self._backlog:
            self._say_goodbye()

    def _encrypt(self) -> bool:
        """Encrypt some of the backlog; false while the peer has to say something first."""
        backlog = self._backlog
        size = 0
        pieces = []
        while backlog and size < _ENCRYPTED_AT_ONCE:  # small writes share a record
            piece = backlog.popleft()
            room = _ENCRYPTED_AT_ONCE - size
            if len(piece) > room:
                view = memoryview(piece)
                piece = view[:room]
                backlog.appendleft(view[room:])
            pieces.append(piece)
            size += len(piece)
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        sent = self._engine.encrypt(data)
        self._backlog_size -= sent
        if sent < size:
            backlog.appendleft(memoryview(data)[sent:])
        return sent > 0

    def _send_encrypted(self) -> None:
        if self._engine.has_output:
            self._below.write(self._engine.take_output())

    def _say_goodbye(self) -> None:
        """Everything is encrypted: close."""
        raise NotImplementedError

    # Sending files.

    async def _send_file(
        self, loop: Streaming, file: IO[bytes], offset: int, count: int | None, fallback: bool
    ) -> int:
        if not fallback:
            raise RuntimeError(f"sendfile(fallback=False) on {self!r}: the kernel does not encrypt")
        if self._sends_file:
            raise RuntimeError(f"sendfile() on {self!r}: another one is in progress")
        was_reading = self.is_reading()
        self.pause_reading()
        self._sends_file = True
        try:
            return await send_encrypted(self, loop, file, offset, count)
        finally:
            self._sends_file = False
            if was_reading:
                self.resume_reading()

    async def _write_all(self, data: bytes) -> None:
        """Write, and wait until all is encrypted; ConnectionError if the connection is closed before."""
        if not self.is_closing():
            self._write(data)
        self._drained = self._loop.create_future()
        self._settle_drained()
        try:
            await self._drained
        finally:
            self._drained = None

    def _settle_drained(self) -> None:
        waiter = self._drained
        if waiter is None or waiter.done():
            return
        if self.is_closing():
            waiter.set_exception(ConnectionError("the connection was closed while a file was being sent"))
        elif not self._backlog:
            waiter.set_result(None)
