"""``create_server``, and the server it returns."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
from asyncio.log import logger
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Iterable
from contextvars import copy_context
from selectors import EVENT_READ
from typing import Any
from weakref import WeakSet

from .addresses import AddressInfo, resolve
from .handles import OwnedHandle, TimerHandle
from .sockets import refuse_tls
from .streaming import ProtocolFactory, Streaming
from .tls import TlsTransport
from .tls_options import TlsOptions, server_options
from .transports import SocketTransport

# accept() fails with these until somebody closes something; the listener would stay readable and spin.
_OUT_OF_RESOURCES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_RETRY_AFTER_S = 1.0


class Server(asyncio.AbstractServer):
    """Listening sockets and the connections they brought.

    Source: https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.Server
    """

    def __init__(
        self,
        loop: Servers,
        sockets: list[socket.socket],
        protocol_factory: ProtocolFactory,
        backlog: int,
        tls: TlsOptions | None = None,
        clean_up: Callable[[], object] | None = None,
    ) -> None:
        self._loop = loop
        self._sockets: list[socket.socket] | None = sockets
        self._protocol_factory = protocol_factory
        self._backlog = backlog
        self._tls = tls
        self._context = copy_context()  # each connection gets a copy
        self._clean_up = clean_up  # called when the sockets are closed
        # Weak, so that a connection dropped without close() is noticed.
        self._clients: WeakSet[SocketTransport] = WeakSet()
        self._retries: dict[socket.socket, TimerHandle] = {}
        self._serving = False
        self._serves_forever: asyncio.Future[None] | None = None
        self._waiters: list[asyncio.Future[None]] = []  # one for each that waits for the end

    def __repr__(self) -> str:
        return f"<{type(self).__name__} sockets={self.sockets!r}>"

    @property
    def sockets(self) -> tuple[TransportSocket, ...]:
        """The listening sockets; empty once closed."""
        return tuple(TransportSocket(sock) for sock in self._sockets or ())

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop it belongs to."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether it accepts connections."""
        return self._serving

    async def start_serving(self) -> None:
        """Accept connections from now on; may be repeated. RuntimeError if closed."""
        self._start_serving()

    async def serve_forever(self) -> None:
        """Accept connections until cancelled, and then close.

        RuntimeError if closed, or already being served forever.
        """
        if self._serves_forever is not None:
            raise RuntimeError(f"server {self!r} is already being awaited on serve_forever()")
        self._start_serving()
        self._serves_forever = self._loop.create_future()
        try:
            await self._serves_forever
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise
        finally:
            self._serves_forever = None

    def close(self) -> None:
        """Stop listening; connections stay open. May be repeated."""
        sockets, self._sockets = self._sockets, None
        if sockets is None:
            return
        self._serving = False
        for sock in sockets:
            self._loop._readiness.remove(sock.fileno(), EVENT_READ)
            sock.close()
        if self._clean_up is not None:
            self._clean_up()
        for retry in self._retries.values():
            retry.cancel()
        self._retries.clear()
        if self._serves_forever is not None:
            self._serves_forever.cancel()
        self._tell_if_gone()

    def close_clients(self) -> None:
        """Close every connection, after what is buffered was sent."""
        for transport in list(self._clients):
            secured = transport.get_protocol()
            (secured if isinstance(secured, TlsTransport) else transport).close()

    def abort_clients(self) -> None:
        """Close every connection at once."""
        for transport in list(self._clients):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and its last connection is gone, on every Python (gh-79033)."""
        if self._sockets is None and not self._clients:
            return
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

    def _attach(self, transport: SocketTransport) -> None:
        self._clients.add(transport)

    def _detach(self, transport: SocketTransport) -> None:
        self._clients.discard(transport)
        self._tell_if_gone()

    def _tell_if_gone(self) -> None:
        if self._sockets is None and not self._clients:
            waiters, self._waiters = self._waiters, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)

    def _start_serving(self) -> None:
        if self._sockets is None:
            raise RuntimeError(f"server {self!r} is closed")
        if self._serving:
            return
        self._serving = True
        try:
            for sock in self._sockets:
                sock.listen(self._backlog)
                self._watch(sock)
        except BaseException:
            self.close()
            raise

    def _watch(self, sock: socket.socket) -> None:
        handle = OwnedHandle(self._accept, (sock,), self._loop, self._context)
        self._loop._readiness.add(sock, sock.fileno(), EVENT_READ, handle)

    def _accept(self, sock: socket.socket) -> None:
        """Accept what is pending, up to the backlog: one connection per turn would be slow (bpo-27906)."""
        for _ in range(max(self._backlog, 1)):
            if self._sockets is None:
                return  # closed by a protocol factory
            try:
                connection, peername = sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_RESOURCES:
                    raise  # reported as any callback's error
                self._loop._readiness.remove(sock.fileno(), EVENT_READ)
                self._back_off(sock, error)
                return
            self._context.copy().run(self._admit, connection, peername)

    def _back_off(self, sock: socket.socket, error: OSError) -> None:
        # Before the report, whose handler may close this server.
        self._retries[sock] = self._loop.call_later(_RETRY_AFTER_S, self._retry, sock)
        self._loop.call_exception_handler(
            {
                "message": f"accept() is out of resources, trying again in {_RETRY_AFTER_S} s",
                "exception": error,
                "socket": TransportSocket(sock),
            }
        )

    def _retry(self, sock: socket.socket) -> None:
        del self._retries[sock]
        try:
            self._watch(sock)
        except OSError as error:  # the selector is out of something as well
            self._back_off(sock, error)

    def _admit(self, connection: socket.socket, peername: Any) -> None:
        """Give an accepted connection a protocol; a factory that fails costs this connection only."""
        try:
            connection.setblocking(False)
            if self._loop._debug:
                logger.debug("%r got a new connection from %r: %r", self, peername, connection)
            protocol = self._protocol_factory()
            self._loop._make_transport(connection, protocol, self._tls, peername=peername, server=self)
        except (SystemExit, KeyboardInterrupt):
            connection.close()
            raise
        except BaseException as error:
            connection.close()
            self._loop.call_exception_handler(
                {"message": "Error on transport creation for incoming connection", "exception": error}
            )


class Servers(Streaming):
    """A loop that can listen."""

    async def create_server(  # type: ignore[override]  # the stub has an overload for every mix
        self,
        protocol_factory: ProtocolFactory,
        host: str | Iterable[str] | None = None,
        port: int | str | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        flags: int = socket.AI_PASSIVE,
        sock: socket.socket | None = None,
        backlog: int = 100,
        ssl: Any = None,
        reuse_address: bool | None = None,
        reuse_port: bool | None = None,
        keep_alive: bool | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
    ) -> Server:
        """Listen on host (a name, several names, None or "" for every interface) and port, or on ``sock``.

        ``ssl`` is an SSLContext; both timeouts are seconds. OSError if an address cannot be had; ValueError
        for arguments that do not fit together.

        Source: https://docs.python.org/3/library/asyncio-eventloop.html#creating-network-servers
        """
        tls = server_options("create_server", ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if sock is not None:
            refuse_tls(sock)
            if host is not None or port is not None:
                raise ValueError("create_server() takes a host and port, or a sock, not both")
            if sock.type != socket.SOCK_STREAM:
                raise ValueError(f"create_server() needs a stream socket, got {sock!r}")
            sockets = [sock]
        elif host is None and port is None:
            raise ValueError("create_server() needs a host and port, or a sock")
        else:
            if reuse_address is None:
                # On Windows it would let two programs share a port.
                reuse_address = os.name == "posix" and sys.platform != "cygwin"
            hosts = [host or None] if host is None or isinstance(host, str) else list(host)
            found = await asyncio.gather(
                *(resolve(self, (name, port), family=family, flags=flags) for name in hosts)
            )
            # Names may share addresses; the order is kept.
            infos = list(dict.fromkeys(info for group in found for info in group))
            options = _options(reuse_address, reuse_port, keep_alive)
            sockets = _listeners(infos, options, debug=self._debug)
        return self._serve(Server(self, sockets, protocol_factory, backlog, tls), start_serving)

    def _serve(self, server: Server, start_serving: bool) -> Server:
        """The server, listening if that is asked for."""
        for listener in server._sockets or ():
            listener.setblocking(False)
        if start_serving:
            server._start_serving()
        if self._debug:
            logger.info("%r is serving", server)
        return server


def _options(reuse_address: bool | None, reuse_port: bool | None, keep_alive: bool | None) -> list[int]:
    """The SOL_SOCKET options to switch on. ValueError if the system has no SO_REUSEPORT."""
    options = []
    if reuse_address:
        options.append(socket.SO_REUSEADDR)
    if reuse_port:
        if not hasattr(socket, "SO_REUSEPORT"):
            raise ValueError("reuse_port: this system has no SO_REUSEPORT")
        options.append(socket.SO_REUSEPORT)
    if keep_alive:
        options.append(socket.SO_KEEPALIVE)
    return options


def _listeners(infos: list[AddressInfo], options: list[int], *, debug: bool) -> list[socket.socket]:
    """A bound socket for each address; families that the machine lacks are skipped (bpo-30945)."""
    sockets: list[socket.socket] = []
    try:
        for family, kind, proto, _, address in infos:
            try:
                sock = socket.socket(family, kind, proto)
            except OSError as error:
                if debug:
                    logger.warning("create_server(): no socket for %r: %s", address, error)
                continue
            sockets.append(sock)
            for option in options:
                sock.setsockopt(socket.SOL_SOCKET, option, 1)
            if family == socket.AF_INET6 and hasattr(socket, "IPPROTO_IPV6"):
                # Or it would take the IPv4 port too, which has a socket of its own.
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                sock.bind(address)
            except OSError as error:
                if error.errno == errno.EADDRNOTAVAIL:
                    sockets.remove(sock)
                    sock.close()
                    continue
                raise OSError(error.errno, f"cannot bind to {address!r}: {error.strerror}") from None
        if not sockets:
            raise OSError(f"cannot bind to any of {[info[4] for info in infos]!r}")
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    return sockets
