"""What connections and servers share: making transports, and sending files through them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from selectors import EVENT_WRITE
from typing import IO, TYPE_CHECKING, Any

from .sockets import SocketCalls, check_sendfile
from .transports import SocketTransport

if TYPE_CHECKING:
    from .servers import Server

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class Streaming(SocketCalls):
    """A loop that has stream transports."""

    async def _connect_transport(
        self, sock: socket.socket, protocol_factory: ProtocolFactory
    ) -> tuple[SocketTransport, asyncio.BaseProtocol]:
        """A started transport on a connected socket, which it owns from now on."""
        sock.setblocking(False)
        protocol = protocol_factory()
        waiter: asyncio.Future[None] = self.create_future()
        transport = self._make_transport(sock, protocol, waiter=waiter)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    def _make_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        *,
        waiter: asyncio.Future[None] | None = None,
        peername: Any = None,
        server: Server | None = None,
    ) -> SocketTransport:
        self._readiness.refuse_transport(sock.fileno(), sock)
        return SocketTransport(self, sock, protocol, waiter=waiter, peername=peername, server=server)

    async def sendfile(
        self,
        transport: asyncio.BaseTransport,
        file: IO[bytes],
        offset: int = 0,
        count: int | None = None,
        *,
        fallback: bool = True,
    ) -> int:
        """Send ``count`` bytes (None: all) of ``file`` from ``offset`` on, after what was written before.

        Returns how many were sent; the file's position is after them, errors included. Uses
        ``os.sendfile`` where it works, else reads and sends if ``fallback`` is true, else raises
        asyncio.SendfileNotAvailableError. RuntimeError for a closing transport or one of another loop's;
        ConnectionError when the connection ends before all is sent.
        """
        if not isinstance(transport, SocketTransport):
            raise RuntimeError(f"sendfile() works on muxloop's own TCP transports, got {transport!r}")
        if transport.is_closing():
            raise RuntimeError(f"sendfile() on {transport!r}: it is closing")
        check_sendfile(transport.get_extra_info("socket"), file, offset, count)
        try:
            return await transport._send_file(self, file, offset, count, fallback)
        except OSError as error:
            # What is told of a closed socket; Windows' name for it is the second.
            if transport.is_closing() and error.errno in (errno.EBADF, errno.ENOTSOCK):
                told = f"sendfile() on {transport!r}: the connection was closed while the file was read"
                raise ConnectionError(told) from error
            raise

    async def _until_ready(self, sock: socket.socket, events: int) -> None:
        transport = self._readiness.transports.get(sock.fileno())
        if isinstance(transport, SocketTransport) and transport._sends_file and events == EVENT_WRITE:
            await transport._until_writable()
        else:
            await super()._until_ready(sock, events)
