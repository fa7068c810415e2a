"""Unix sockets: connecting to them, serving on them, and the files they leave.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#loop-create-unix-server
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import sys
from asyncio.log import logger
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .connections import Connections, check_stream, closing_on_failure
from .servers import Server, Servers
from .streaming import ProtocolFactory
from .tls_options import client_options, server_options

_CLEANS_UP = sys.version_info >= (3, 13)  # what the documentation of this Python promises

UnixPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class UnixSockets(Servers, Connections):
    """``create_unix_connection`` and ``create_unix_server``."""

    async def create_unix_connection(  # type: ignore[override]  # no protocol type variable
        self,
        protocol_factory: ProtocolFactory,
        path: UnixPath | None = None,
        *,
        ssl: Any = None,
        sock: socket.socket | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to the socket at ``path`` (a leading NUL: an abstract name), or take a connected ``sock``.

        Returns (transport, protocol). OSError if it cannot be reached; ValueError for arguments that do
        not fit together; NotImplementedError where Python has no Unix sockets.
        """
        _check_platform("create_unix_connection")
        tls = client_options(
            "create_unix_connection", ssl, server_hostname, None, ssl_handshake_timeout, ssl_shutdown_timeout
        )
        if path is None:
            if sock is None:
                raise ValueError("create_unix_connection() needs a path or a sock")
            _check_unix_stream(sock)
            return await self._connect_transport(sock, protocol_factory, tls)
        if sock is not None:
            raise ValueError("create_unix_connection() takes a path or a sock, not both")
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            await self.sock_connect(sock, os.fspath(path))
        except BaseException:
            sock.close()
            raise
        return await self._connect_transport(sock, closing_on_failure(sock, protocol_factory), tls)

    async def create_unix_server(  # type: ignore[override]  # no protocol type variable
        self,
        protocol_factory: ProtocolFactory,
        path: UnixPath | None = None,
        *,
        sock: socket.socket | None = None,
        backlog: int = 100,
        ssl: Any = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        start_serving: bool = True,
        cleanup_socket: bool = _CLEANS_UP,
    ) -> Server:
        """Listen at ``path`` (a leading NUL: an abstract name), or on ``sock``.

        A socket that nobody serves any more is replaced. ``cleanup_socket`` removes the file when the server
        is closed, if it is still the same one; before Python 3.13 only on demand. OSError if the path
        cannot be had; ValueError for arguments that do not fit together; NotImplementedError where Python
        has no Unix sockets.
        """
        _check_platform("create_unix_server")
        tls = server_options("create_unix_server", ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        if path is None:
            if sock is None:
                raise ValueError("create_unix_server() needs a path or a sock")
            _check_unix_stream(sock)
        elif sock is not None:
            raise ValueError("create_unix_server() takes a path or a sock, not both")
        else:
            sock = _bound(os.fspath(path))
        clean_up = _remover(sock) if cleanup_socket else None
        return self._serve(Server(self, [sock], protocol_factory, backlog, tls, clean_up), start_serving)


def remove_stale(path: str | bytes) -> None:
    """Remove a socket file, so that the path can be bound; if that fails it is logged, and binding tells."""
    try:
        if stat.S_ISSOCK(os.stat(path).st_mode):
            os.remove(path)
    except FileNotFoundError:
        pass
    except OSError as error:
        logger.error("a stale Unix socket at %r cannot be removed: %s", path, error)


def is_abstract(path: str | bytes) -> bool:
    """Whether it is a name of Linux's abstract namespace, or empty: there is no file."""
    return path[:1] in ("", b"", "\0", b"\0")


def _bound(path: str | bytes) -> socket.socket:
    if not is_abstract(path):
        remove_stale(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise OSError(error.errno, f"the address {path!r} is in use") from None
        raise
    except BaseException:
        sock.close()
        raise
    return sock


def _remover(sock: socket.socket) -> Callable[[], None] | None:
    """Removes the file of a bound socket, unless another one has taken its place."""
    path = sock.getsockname()
    if is_abstract(path):
        return None
    path = os.path.abspath(path)  # the program may change its folder
    try:
        inode = os.stat(path).st_ino
    except OSError:
        return None  # removed already, or of another mount namespace

    def remove() -> None:
        with suppress(FileNotFoundError):
            try:
                if os.stat(path).st_ino == inode:
                    os.unlink(path)
            except PermissionError as error:
                logger.error("the Unix socket at %r cannot be removed: %s", path, error)

    return remove


def _check_platform(method: str) -> None:
    if not hasattr(socket, "AF_UNIX"):
        raise NotImplementedError(f"{method}(): this Python's socket module has no AF_UNIX")


def _check_unix_stream(sock: socket.socket) -> None:
    check_stream(sock)
    if sock.family != socket.AF_UNIX:
        raise ValueError(f"a Unix stream socket is needed, got {sock!r}")
