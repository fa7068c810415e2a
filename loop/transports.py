"""The stream transport: bytes between a socket (TCP or Unix) and a protocol.

Its rules, besides those of ``file_transport.py``: no data after ``eof_received``; what is written is taken at
once, so the caller may reuse its buffer.

Source: https://docs.python.org/3/library/asyncio-protocol.html
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.log import logger
from collections import deque
from collections.abc import Iterable
from itertools import islice
from selectors import EVENT_READ, EVENT_WRITE
from typing import IO, TYPE_CHECKING, Any

from .addresses import socket_facts
from .file_transport import NOT_YET, FileTransport
from .handles import OwnedHandle

if TYPE_CHECKING:
    from .servers import Server
    from .streaming import Streaming

# Less than malloc gives as fresh pages each time: cheaper than a large buffer that all share, and a copy.
# (1 KiB: 256 KiB at once 16.7 us, into a shared buffer 3.4, this 3.0; 64 KiB: 54, 12.0, 10.3)
_READ_AT_ONCE = 64 * 1024
_BUFFERS_AT_ONCE = 64  # of sendmsg(2); far below any IOV_MAX, and more save no time


class SocketTransport(FileTransport, asyncio.Transport):
    """A transport on a connected, non-blocking stream socket, which it owns and closes."""

    __slots__ = (
        "_eof_read",
        "_eof_written",
        "_server",
        "_waiter",
    )

    def __init__(
        self,
        loop: Streaming,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        *,
        waiter: asyncio.Future[None] | None = None,
        peername: Any = None,
        server: Server | None = None,
    ) -> None:
        self._server = server
        self._eof_read = False
        self._eof_written = False
        self._waiter: asyncio.Future[None] | None = None  # of sendfile: buffer empty, or socket writable
        super().__init__(loop, sock, protocol, socket_facts(sock, peername))
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            # Small writes shall not wait for the peer's acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if server is not None:
            server._attach(self)
        loop.call_soon(self._start, waiter, context=self._context)

    # Reading.

    def _watch_reading(self) -> None:
        if not self._eof_read:  # the end of the stream stays readable for ever, and is told once
            self._watch(EVENT_READ, self._read)

    def _read(self) -> None:
        if self._closing or self._file is None:
            return
        protocol = self._protocol
        what = "read from socket"
        try:
            if isinstance(protocol, asyncio.BufferedProtocol):
                what = "protocol.get_buffer()"
                buffer = protocol.get_buffer(-1)
                if not len(memoryview(buffer)):
                    raise RuntimeError("get_buffer() returned an empty buffer")
                what = "read from socket"
                size = self._file.recv_into(buffer)
                if size:
                    what = "protocol.buffer_updated()"
                    protocol.buffer_updated(size)
            else:
                data = self._file.recv(_READ_AT_ONCE)
                size = len(data)
                if size:
                    what = "protocol.data_received()"
                    protocol.data_received(data)  # type: ignore[attr-defined]
            if not size:
                what = "protocol.eof_received()"
                self._end_of_stream(protocol)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if what == "read from socket" and isinstance(error, NOT_YET):
                return
            self._fail(error, f"Fatal error: {what} failed.")

    def _end_of_stream(self, protocol: Any) -> None:
        if self._loop.get_debug():
            logger.debug("%r received EOF", self)
        keep_open = protocol.eof_received()
        if self._closing:
            return
        if keep_open:
            # The peer may still read; there is nothing more to hear from it.
            self._eof_read = True
            self._loop._readiness.remove(self._fd, EVENT_READ)
        else:
            self.close()

    # Writing.

    def can_write_eof(self) -> bool:
        """True: a stream socket can be shut down in one direction."""
        return True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send ``data``, now as far as possible; never blocks. The caller may change its buffer afterwards.

        TypeError for what is not bytes-like, RuntimeError after ``write_eof`` or during ``sendfile``.
        After ``close`` or a loss the data is dropped, with a warning in the log from the fifth time on.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"write() needs bytes, a bytearray or a memoryview, got {type(data).__name__}")
        if self._eof_written or self._waiter is not None:
            self._refuse_write("write()")
        if not data:
            return
        if self._closing:
            self._note_vain_write()
            return
        size = len(data)
        if isinstance(data, memoryview):
            size = data.nbytes
            if not data.c_contiguous:
                data = data.tobytes()
        sent = 0
        if not self._buffer:
            try:
                sent = self._file.send(data)
            except NOT_YET:
                pass
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._fail(error, "Fatal write error on socket transport")
                return
            if sent == size:
                return
        self._keep(data, sent)

    def writelines(self, list_of_data: Iterable[Any]) -> None:
        """Send the concatenation of the items; otherwise as ``write``."""
        self.write(b"".join(list_of_data))

    def write_eof(self) -> None:
        """Send what is buffered, then the end of the stream; reading goes on. May be repeated."""
        if self._closing or self._eof_written:
            return
        self._eof_written = True
        if not self._buffer:
            self._shut_writing()

    def _keep(self, data: bytes | bytearray | memoryview, sent: int) -> None:
        """Buffer what the kernel did not take; a mutable buffer is copied, as the caller may reuse it."""
        rest = memoryview(data).cast("B")[sent:]
        if not isinstance(data, bytes):
            rest = memoryview(bytes(rest))
        if not self._buffer:
            self._watch(EVENT_WRITE, self._flush)
            if self._lost:
                return
        self._buffer.append(rest)
        self._buffered += len(rest)
        self._pause_if_high()

    def _flush(self) -> None:
        if self._lost:
            return
        if not self._buffer:
            self._flushed()  # resume_writing was interrupted before that
            return
        try:
            sent = _send_buffers(self._file, self._buffer)
        except NOT_YET:
            return
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fail(error, "Fatal write error on socket transport")
            return
        self._buffered -= sent
        buffer = self._buffer
        while sent:
            first = buffer.popleft()
            if len(first) > sent:
                buffer.appendleft(first[sent:])
                break
            sent -= len(first)
        self._resume_if_low()  # the protocol may write more at once
        if not self._buffer and not self._lost:
            self._flushed()

    def _flushed(self) -> None:
        self._loop._readiness.remove(self._fd, EVENT_WRITE)
        self._settle(None)
        if self._closing:
            self._lose(None)
        elif self._eof_written:
            self._shut_writing()

    def _shut_writing(self) -> None:
        try:
            self._file.shutdown(socket.SHUT_WR)
        except OSError as error:  # the peer was faster
            self._fail(error, "Fatal error on shutting down")

    def _refuse_write(self, method: str) -> None:
        if self._eof_written:
            raise RuntimeError(f"Cannot call {method} after write_eof()")
        raise RuntimeError(f"{method} is refused: sendfile is in progress")

    # Sending files: sock_sendfile has the socket to itself once the buffer is empty.

    @property
    def _sends_file(self) -> bool:
        return self._waiter is not None

    async def _send_file(
        self, loop: Streaming, file: IO[bytes], offset: int, count: int | None, fallback: bool
    ) -> int:
        if self._waiter is not None:
            raise RuntimeError(f"sendfile() on {self!r}: another one is in progress")
        was_reading = self.is_reading()
        self.pause_reading()
        waiter = self._waiter = loop.create_future()
        if not self._buffer:
            waiter.set_result(None)
        try:
            await waiter
            return await loop.sock_sendfile(self._file, file, offset, count, fallback=fallback)
        finally:
            self._waiter = None
            if was_reading:
                self.resume_reading()

    async def _until_writable(self) -> None:
        """Until the socket takes more; ConnectionError if the connection is lost before."""
        if self._lost:
            raise ConnectionError("the connection was closed while a file was being sent")
        self._waiter = self._loop.create_future()
        handle = OwnedHandle(self._settle, (None,), self._loop, self._context)
        self._loop._readiness.add(self._file, self._fd, EVENT_WRITE, handle)
        try:
            await self._waiter
        finally:
            self._loop._readiness.release(self._fd, EVENT_WRITE, handle)

    def _settle(self, error: BaseException | None) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            if error is None:
                waiter.set_result(None)
            else:
                waiter.set_exception(error)

    # The end.

    def _leave(self) -> None:
        self._settle(ConnectionError("the connection was closed while a file was being sent"))
        server, self._server = self._server, None
        if server is not None:
            server._detach(self)


def _send_buffers(sock: socket.socket, buffers: deque[memoryview]) -> int:
    """One system call for as many buffers as it takes; Windows has no sendmsg."""
    if len(buffers) == 1 or not hasattr(sock, "sendmsg"):
        return sock.send(buffers[0])
    return sock.sendmsg(islice(buffers, _BUFFERS_AT_ONCE))
