"""``create_connection``, and adopting connections that others accepted."""

from __future__ import annotations

import asyncio
import socket
from asyncio import staggered
from collections.abc import Sequence
from functools import partial
from typing import Any

from .addresses import AddressInfo, interleave, resolve
from .sockets import refuse_tls
from .streaming import ProtocolFactory, Streaming
from .tls_options import client_options, server_options


class Connections(Streaming):
    """Connecting to servers, and adopting connections that others accepted."""

    async def create_connection(  # type: ignore[override]  # the stub has an overload for every mix
        self,
        protocol_factory: ProtocolFactory,
        host: str | None = None,
        port: int | str | None = None,
        *,
        ssl: Any = None,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        sock: socket.socket | None = None,
        local_addr: tuple[str, int] | None = None,
        server_hostname: str | None = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
        happy_eyeballs_delay: float | None = None,
        interleave: int | None = None,
        all_errors: bool = False,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Connect to host and port, or take a connected ``sock``; returns (transport, protocol).

        The addresses of the host are tried one after the other, or, with ``happy_eyeballs_delay``
        (seconds), each that much after the former while those are still under way (RFC 8305).
        ``ssl`` is an SSLContext, or True for the default one; both timeouts are seconds. OSError if no
        address can be reached, with ``all_errors`` an ExceptionGroup of every reason; ssl.SSLError or
        ConnectionError if the handshake fails; ValueError for arguments that do not fit together.

        Source: https://docs.python.org/3/library/asyncio-eventloop.html#opening-network-connections
        """
        tls = client_options(
            "create_connection", ssl, server_hostname, host, ssl_handshake_timeout, ssl_shutdown_timeout
        )
        if host is None and port is None:
            if sock is None:
                raise ValueError("create_connection() needs a host and port, or a sock")
            check_stream(sock)
        elif sock is not None:
            raise ValueError("create_connection() takes a host and port, or a sock, not both")
        else:
            if happy_eyeballs_delay is not None and interleave is None:
                interleave = 1
            lookup = partial(resolve, self, family=family, proto=proto, flags=flags)
            targets = await lookup((host, port))
            local = None if local_addr is None else await lookup(local_addr)
            if interleave:
                targets = _interleaved(targets, interleave)
            sock = await self._connect_first(targets, local, happy_eyeballs_delay, all_errors)
            protocol_factory = closing_on_failure(sock, protocol_factory)
        return await self._connect_transport(sock, protocol_factory, tls)

    async def connect_accepted_socket(  # type: ignore[override]  # no protocol type variable
        self,
        protocol_factory: ProtocolFactory,
        sock: socket.socket,
        *,
        ssl: Any = None,
        ssl_handshake_timeout: float | None = None,
        ssl_shutdown_timeout: float | None = None,
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """Take over a connection accepted elsewhere, as its server; errors as ``create_connection``."""
        tls = server_options("connect_accepted_socket", ssl, ssl_handshake_timeout, ssl_shutdown_timeout)
        check_stream(sock)
        return await self._connect_transport(sock, protocol_factory, tls)

    async def _connect_first(
        self,
        targets: Sequence[AddressInfo],
        local: Sequence[AddressInfo] | None,
        delay: float | None,
        all_errors: bool,
    ) -> socket.socket:
        """A socket connected to the first target that answers."""
        errors: list[OSError] = []
        connected: list[socket.socket] = []
        attempts = [partial(self._connect_one, target, local, errors, connected) for target in targets]
        try:
            if delay is None:
                for attempt in attempts:
                    try:
                        return await attempt()
                    except OSError:
                        continue
            else:
                winner, _, failures = await staggered.staggered_race(attempts, delay)
                if winner is not None:
                    won: socket.socket = winner
                    return won
                for failure in failures:
                    if failure is not None and not isinstance(failure, OSError):
                        raise failure  # a port beyond 65535, say: no matter of the network
            raise _joint_error(errors, all_errors)
        except BaseException:
            # Cancelled after an attempt has won, and before the race has told of it.
            for sock in connected:
                sock.close()
            raise
        finally:
            errors.clear()  # their tracebacks hold this frame: no cycle is left behind

    async def _connect_one(
        self,
        target: AddressInfo,
        local: Sequence[AddressInfo] | None,
        errors: list[OSError],
        connected: list[socket.socket],
    ) -> socket.socket:
        family, kind, proto, _, address = target
        sock: socket.socket | None = None
        try:
            sock = socket.socket(family, kind, proto)
            sock.setblocking(False)
            if local is not None:
                _bind(sock, family, local, errors)
            await self.sock_connect(sock, address)
            connected.append(sock)
            return sock
        except BaseException as error:
            if sock is not None:
                sock.close()
            if isinstance(error, OSError):
                errors.append(error)
            raise


def closing_on_failure(sock: socket.socket, protocol_factory: ProtocolFactory) -> ProtocolFactory:
    """``protocol_factory``, and if it fails the socket that nobody else knows is closed."""

    def make_protocol() -> asyncio.BaseProtocol:
        try:
            return protocol_factory()
        except BaseException:
            sock.close()
            raise

    return make_protocol


_interleaved = interleave  # the parameter of create_connection has the same name


def _bind(sock: socket.socket, family: int, local: Sequence[AddressInfo], errors: list[OSError]) -> None:
    """Bind to the first local address of the family that can be had."""
    problem = OSError(f"no local address of family {family!r} was given")
    for local_family, _, _, _, address in local:
        if local_family != family:
            continue
        try:
            sock.bind(address)
            return
        except OSError as error:
            errors.append(problem := OSError(error.errno, f"cannot bind to {address!r}: {error.strerror}"))
    if problem in errors:
        errors.remove(problem)  # the caller adds what is raised
    raise problem


def _joint_error(errors: list[OSError], all_errors: bool) -> Exception:
    """One exception for all attempts."""
    if all_errors:
        return ExceptionGroup("create_connection failed", list(errors))
    if len({str(error) for error in errors}) == 1:
        return errors[0]
    return OSError("Multiple exceptions: " + ", ".join(map(str, errors)))


def check_stream(sock: socket.socket) -> None:
    """ValueError for what is no stream socket, TypeError for an SSL socket."""
    refuse_tls(sock)
    if sock.type != socket.SOCK_STREAM:
        raise ValueError(f"a stream socket is needed, got {sock!r}")
