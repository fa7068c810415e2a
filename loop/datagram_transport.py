"""The datagram transport: whole datagrams between a socket and a protocol.

An error of one datagram (nobody listens there, it is too long) is told by ``error_received`` and ends
nothing.

Source: https://docs.python.org/3/library/asyncio-protocol.html#datagram-transports; udp(7)
"""

from __future__ import annotations

import asyncio
import errno
import socket
from selectors import EVENT_WRITE
from typing import TYPE_CHECKING, Any

from .addresses import socket_facts
from .file_transport import NOT_YET, FileTransport

if TYPE_CHECKING:
    from .sockets import SocketCalls

_HEADER_BYTES = 8  # of UDP: so that empty datagrams count, too
_GONE = (errno.EBADF, errno.ENOTSOCK)  # the socket was closed underfoot: no matter of one datagram


class DatagramTransport(FileTransport, asyncio.DatagramTransport, asyncio.Transport):
    """A transport on a non-blocking datagram socket, which it owns and closes.

    ``address`` is where everything is sent; None: wherever ``sendto`` says. Like CPython's it calls itself an
    ``asyncio.Transport`` as well, which its methods for streams, not implemented, belie.
    """

    __slots__ = ("_address", "_connected")

    def __init__(
        self,
        loop: SocketCalls,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        address: Any,
        waiter: asyncio.Future[None],
    ) -> None:
        facts = socket_facts(sock)
        super().__init__(loop, sock, protocol, facts)
        self._address = address
        self._connected = facts["peername"] is not None
        loop.call_soon(self._start, waiter, context=self._context)

    def sendto(self, data: bytes | bytearray | memoryview, addr: Any = None) -> None:
        """Send one datagram, now if the socket takes it; never blocks. The caller may change its buffer.

        ``addr`` may be left out, or must be the same, where the endpoint has a remote address: ValueError.
        TypeError for what is not bytes-like, and what the socket raises for what is no address. After
        ``close`` or a loss it is dropped, with a warning in the log from the fifth time on. What the system
        says of one datagram is told by ``error_received``.
        """
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise TypeError(f"sendto() needs bytes, a bytearray or a memoryview, got {type(data).__name__}")
        if self._address is not None:
            if addr not in (None, self._address):
                raise ValueError(f"Invalid address: must be None or {self._address}, got {addr!r}")
            addr = self._address
        if self._closing:
            self._note_vain_write()
            return
        if not self._buffer:
            try:
                self._send(data, addr)
                return
            except NOT_YET:
                self._watch(EVENT_WRITE, self._flush)
                if self._lost:
                    return
            except OSError as error:
                self._note(error, "send")
                return
        kept = bytes(data)
        self._buffer.append((kept, addr))
        self._buffered += len(kept) + _HEADER_BYTES
        self._pause_if_high()

    def _send(self, data: bytes | bytearray | memoryview, addr: Any) -> None:
        if self._connected:
            self._file.send(data)
        else:
            self._file.sendto(data, addr)

    def _flush(self) -> None:
        buffer = self._buffer
        while buffer:
            data, addr = buffer[0]
            try:
                self._send(data, addr)
            except NOT_YET:
                break
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                self._note(error, "send")
                if self._lost:
                    return
            if buffer:  # error_received may have aborted
                buffer.popleft()
                self._buffered -= len(data) + _HEADER_BYTES
        self._resume_if_low()  # the protocol may send more at once
        if not buffer and not self._lost:
            self._loop._readiness.remove(self._fd, EVENT_WRITE)
            if self._closing:
                self._lose(None)

    def _read(self) -> None:
        if self._closing or self._file is None:
            return
        shared = self._loop._receive_buffer
        try:
            size, address = self._file.recvfrom_into(shared)
        except NOT_YET:
            return
        except OSError as error:
            self._note(error, "receive")
            return
        try:
            self._protocol.datagram_received(bytes(shared[:size]), address)  # type: ignore[attr-defined]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fail(error, "Fatal error: protocol.datagram_received() failed.")

    def _note(self, error: BaseException, what: str) -> None:
        """Tell of one datagram's error; what no datagram can be blamed for ends the transport."""
        if not isinstance(error, OSError) or error.errno in _GONE:
            self._fail(error, f"Fatal error: {what} on a datagram transport failed.")
            return
        try:
            self._protocol.error_received(error)  # type: ignore[attr-defined]
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as failure:
            self._fail(failure, "Fatal error: protocol.error_received() failed.")
