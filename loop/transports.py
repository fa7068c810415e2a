"""The TCP transport: bytes between a socket and a protocol.

Its rules: ``connection_lost`` comes exactly once, and never inside the call that caused it; no data after
``eof_received`` or ``close``; what is written is taken at once, so the caller may reuse its buffer;
an exception in a protocol's callback ends this connection and no other.

Source: https://docs.python.org/3/library/asyncio-protocol.html
"""

from __future__ import annotations

import asyncio
import socket
import warnings
from asyncio.log import logger
from asyncio.trsock import TransportSocket
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from selectors import EVENT_READ, EVENT_WRITE
from typing import IO, TYPE_CHECKING, Any, cast

from .flow_control import FlowControl
from .handles import OwnedHandle

if TYPE_CHECKING:
    from .servers import Server
    from .streaming import Streaming

_NOT_YET = (BlockingIOError, InterruptedError)
_BUFFERS_AT_ONCE = 64  # of sendmsg(2); far below any IOV_MAX, and more save no time


class SocketTransport(FlowControl, asyncio.Transport):
    """A transport on a connected, non-blocking stream socket, which it owns and closes."""

    __slots__ = (
        "__weakref__",
        "_buffer",
        "_buffered",
        "_closing",
        "_eof_read",
        "_eof_written",
        "_fd",
        "_loop",
        "_lost",
        "_protocol",
        "_reading",
        "_server",
        "_sock",
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
        self._sock: socket.socket | None = sock
        self._loop: Streaming = loop
        self._fd = sock.fileno()
        self._protocol = protocol
        self._server = server
        self._buffer: deque[memoryview] = deque()
        self._buffered = 0  # bytes
        self._closing = False
        self._lost = False  # connection_lost has been scheduled
        self._eof_read = False
        self._eof_written = False
        self._reading: bool | None = None  # None: not yet, waiting for connection_made
        self._waiter: asyncio.Future[None] | None = None  # of sendfile: buffer empty, or socket writable
        super().__init__(
            {
                "socket": TransportSocket(sock),
                "sockname": _name(sock.getsockname),
                "peername": _name(sock.getpeername) if peername is None else peername,
            }
        )
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            # Small writes shall not wait for the peer's acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop._readiness.adopt(self._fd, self)
        if server is not None:
            server._attach(self)
        loop.call_soon(self._start, waiter)

    def __repr__(self) -> str:
        state = "closed" if self._sock is None else "closing" if self._closing else "open"
        return f"<{type(self).__name__} {state} fd={self._fd} buffered={self._buffered}>"

    def __del__(self) -> None:
        if getattr(self, "_sock", None) is not None:
            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, stacklevel=2, source=self)
            cast(socket.socket, self._sock).close()
            if self._server is not None:
                self._server._detach(self)

    # What is known about the connection.

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told what happens; None once it was told that the connection is lost."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell another protocol from now on."""
        self._protocol = protocol

    def is_closing(self) -> bool:
        """Whether it is closed, or will be once the buffer is sent."""
        return self._closing

    # Reading.

    def is_reading(self) -> bool:
        """Whether data would be delivered."""
        return self._reading is not False and not self._closing

    def pause_reading(self) -> None:
        """Deliver no data until ``resume_reading``; may be repeated."""
        if self._closing or self._reading is False:
            return
        self._reading = False
        self._loop._readiness.remove(self._fd, EVENT_READ)

    def resume_reading(self) -> None:
        """Deliver data again; may be repeated."""
        if self._closing or self._reading is not False:
            return
        self._reading = True
        self._watch_reading()

    def _watch_reading(self) -> None:
        if self._eof_read:
            return  # the end of the stream stays readable for ever, and is told once
        self._watch(EVENT_READ, self._read)

    def _watch(self, events: int, callback: Callable[[], object]) -> None:
        """Call back when ready. Refused by the selector (FD_SETSIZE, max_user_watches), it is lost."""
        handle = OwnedHandle(callback, (), self._loop)
        try:
            self._loop._readiness.add(self._sock, self._fd, events, handle)
        except (OSError, ValueError) as error:
            self._report(error, "The selector refuses a connection, which is closed")
            self._lose(error)

    def _start(self, waiter: asyncio.Future[None] | None) -> None:
        try:
            self._protocol.connection_made(self)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fail(error, "Fatal error: protocol.connection_made() call failed.")
        finally:  # Ctrl-C too leaves a connection that works, and nobody waiting for it
            if self._reading is None and not self._closing:
                self._reading = True
                self._watch_reading()
            if waiter is not None and not waiter.done():
                waiter.set_result(None)

    def _read(self) -> None:
        if self._closing or self._sock is None:
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
                size = self._sock.recv_into(buffer)
                if size:
                    what = "protocol.buffer_updated()"
                    protocol.buffer_updated(size)
            else:
                # One buffer for all transports, and a copy of what came: an own large buffer for each read
                # costs more than the copy. (echo 1 KiB: 35.5 to 9.6 us of CPU a request)
                shared = self._loop._receive_buffer
                size = self._sock.recv_into(shared)
                if size:
                    data = bytes(shared[:size])
                    what = "protocol.data_received()"
                    protocol.data_received(data)  # type: ignore[attr-defined]
            if not size:
                what = "protocol.eof_received()"
                self._end_of_stream(protocol)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            if what == "read from socket" and isinstance(error, _NOT_YET):
                return
            self._fail(error, f"Fatal error: {what} failed.")

    def _end_of_stream(self, protocol: Any) -> None:
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

    def get_write_buffer_size(self) -> int:
        """Bytes written but not yet taken by the kernel."""
        return self._buffered

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
                sent = self._sock.send(data)  # type: ignore[union-attr]  # not lost: still open
            except _NOT_YET:
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
            sent = _send_buffers(self._sock, self._buffer)  # type: ignore[arg-type]  # not lost: still open
        except _NOT_YET:
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
            self._sock.shutdown(socket.SHUT_WR)  # type: ignore[union-attr]  # not lost: still open
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
            sock = cast(socket.socket, self._sock)
            return await loop.sock_sendfile(sock, file, offset, count, fallback=fallback)
        finally:
            self._waiter = None
            if was_reading:
                self.resume_reading()

    async def _until_writable(self) -> None:
        """Until the socket takes more; ConnectionError if the connection is lost before."""
        if self._lost:
            raise ConnectionError("the connection was closed while a file was being sent")
        self._waiter = self._loop.create_future()
        handle = OwnedHandle(self._settle, (None,), self._loop)
        self._loop._readiness.add(self._sock, self._fd, EVENT_WRITE, handle)
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

    def close(self) -> None:
        """Send what is buffered, then close; no more data is delivered. May be repeated."""
        if self._closing:
            return
        self._closing = True
        self._loop._readiness.remove(self._fd, EVENT_READ)
        if not self._buffer:
            self._lose(None)

    def abort(self) -> None:
        """Close at once and drop what is buffered. May be repeated."""
        self._lose(None)

    def _fail(self, error: BaseException, message: str) -> None:
        """End the connection over an error; only those that are not the network's are reported."""
        if not isinstance(error, OSError):
            self._report(error, message)
        elif self._loop.get_debug():
            logger.debug("%r: %s", self, message, exc_info=error)
        self._lose(error)

    def _report(self, error: BaseException, message: str) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )

    def _lose(self, error: BaseException | None) -> None:
        if self._lost:
            return
        self._lost = self._closing = True
        self._buffer.clear()
        self._buffered = 0
        readiness = self._loop._readiness
        readiness.remove(self._fd, EVENT_READ)
        readiness.remove(self._fd, EVENT_WRITE)
        self._loop.call_soon(self._finish, error)

    def _finish(self, error: BaseException | None) -> None:
        try:
            self._protocol.connection_lost(cast("Exception | None", error))
        finally:
            self._settle(ConnectionError("the connection was closed while a file was being sent"))
            sock, self._sock = cast(socket.socket, self._sock), None
            with suppress(OSError):  # EBADF: its number was closed underfoot
                sock.close()
            # Most protocols keep their transport, and the pair would wait for the collector.
            self._protocol = None  # type: ignore[assignment]  # nothing is told any more
            server, self._server = self._server, None
            if server is not None:
                server._detach(self)


def _send_buffers(sock: socket.socket, buffers: deque[memoryview]) -> int:
    """One system call for as many buffers as it takes; Windows has no sendmsg."""
    if len(buffers) == 1 or not hasattr(sock, "sendmsg"):
        return sock.send(buffers[0])
    return sock.sendmsg(islice(buffers, _BUFFERS_AT_ONCE))


def _name(ask: Any) -> Any:
    try:
        return ask()
    except OSError:
        return None
