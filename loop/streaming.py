"""What connections and servers share: making transports, securing them, and sending files through them."""

from __future__ import annotations

import asyncio
import errno
import socket
from asyncio.log import logger
from collections.abc import Callable
from selectors import EVENT_WRITE
from typing import IO, TYPE_CHECKING, Any

from .sockets import SocketCalls, check_sendfile
from .tls import TlsTransport
from .tls_options import TlsOptions, start_tls_options
from .transports import SocketTransport

if TYPE_CHECKING:
    from .servers import Server

ProtocolFactory = Callable[[], asyncio.BaseProtocol]


class Streaming(SocketCalls):
    """A loop that has stream transports."""

    async def _connect_transport(
        self, sock: socket.socket, protocol_factory: ProtocolFactory, tls: TlsOptions | None = None
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """A started transport on a connected socket, which it owns from now on."""
        sock.setblocking(False)
        protocol = protocol_factory()
        waiter: asyncio.Future[None] = self.create_future()
        transport = self._make_transport(sock, protocol, tls, waiter=waiter)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        if self._debug:
            logger.debug(
                "%r connected to %r: (%r, %r)",
                sock,
                transport.get_extra_info("peername"),
                transport,
                protocol,
            )
        return transport, protocol

    def _make_transport(
        self,
        sock: socket.socket,
        protocol: asyncio.BaseProtocol,
        tls: TlsOptions | None = None,
        *,
        waiter: asyncio.Future[None] | None = None,
        peername: Any = None,
        server: Server | None = None,
    ) -> SocketTransport | TlsTransport:
        """The transport that ``protocol`` will be told of; ``waiter`` is done when it can be used."""
        self._readiness.refuse_transport(sock.fileno(), sock)
        if tls is None:
            return SocketTransport(self, sock, protocol, waiter=waiter, peername=peername, server=server)
        secured = TlsTransport(self, protocol, tls, waiter)
        SocketTransport(self, sock, secured, peername=peername, server=server)
        return secured

    async def start_tls(
        self,
        transport: asyncio.WriteTransport,
        protocol: asyncio.BaseProtocol,
        sslcontext: Any,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> asyncio.Transport:
        """Secure a connection that is in use; returns the transport to be used from now on.

        TypeError for a transport that is no stream of muxloop's (TCP, Unix, TLS) and for what is no
        SSLContext; ValueError for timeouts (seconds) that are not positive; ConnectionError when it is
        closing. When the handshake fails, its error is raised and the connection is closed.

        Source: https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.start_tls
        """
        options = start_tls_options(
            sslcontext, server_side, server_hostname, ssl_handshake_timeout, ssl_shutdown_timeout
        )
        if not isinstance(transport, (SocketTransport, TlsTransport)):
            raise TypeError(f"start_tls() works on muxloop's own stream transports, got {transport!r}")
        if transport.is_closing():
            raise ConnectionError(f"start_tls() on {transport!r}: it is closing")
        waiter = self.create_future()
        secured = TlsTransport(self, protocol, options, waiter, tells_made=False)
        transport.set_protocol(secured)
        secured.connection_made(transport)
        transport.resume_reading()
        try:
            await waiter
        except BaseException:
            secured.close()
            raise
        return secured

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
        asyncio.SendfileNotAvailableError. Under TLS it always reads and sends, and is a RuntimeError without
        ``fallback``. RuntimeError for a closing transport or one of another loop's; ConnectionError when the
        connection ends before all is sent.
        """
        if not isinstance(transport, (SocketTransport, TlsTransport)):
            raise RuntimeError(f"sendfile() works on muxloop's own stream transports, got {transport!r}")
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
