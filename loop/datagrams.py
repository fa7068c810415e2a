"""``create_datagram_endpoint``.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.loop.create_datagram_endpoint
"""

from __future__ import annotations

import asyncio
import socket
from asyncio.log import logger
from typing import Any, NamedTuple

from .addresses import resolve
from .datagram_transport import DatagramTransport
from .sockets import SocketCalls, refuse_tls
from .streaming import ProtocolFactory
from .unix_sockets import is_abstract, remove_stale


class _Ends(NamedTuple):
    """One way to make the socket: what kind, bound to where, and talking to whom."""

    family: int
    proto: int
    local: Any
    remote: Any


class Datagrams(SocketCalls):
    """A loop that has datagram endpoints."""

    async def create_datagram_endpoint(  # type: ignore[override]  # no protocol type variable
        self,
        protocol_factory: ProtocolFactory,
        local_addr: tuple[str, int] | str | None = None,
        remote_addr: tuple[str, int] | str | None = None,
        *,
        family: int = 0,
        proto: int = 0,
        flags: int = 0,
        reuse_port: bool | None = None,
        allow_broadcast: bool | None = None,
        sock: socket.socket | None = None,
    ) -> tuple[asyncio.DatagramTransport, asyncio.BaseProtocol]:
        """An endpoint for datagrams, bound to and talking to these addresses, or on ``sock``.

        Addresses are (host, port), paths with AF_UNIX. With ``allow_broadcast`` the remote address is not
        connected to, so that answers from anywhere are received. Returns (transport, protocol). OSError
        if no address can be had; ValueError for arguments that do not fit together; TypeError for addresses
        of another form.
        """
        if sock is None:
            options = [socket.SO_BROADCAST] if allow_broadcast else []
            if reuse_port:
                if not hasattr(socket, "SO_REUSEPORT"):
                    raise ValueError("reuse_port: this system has no SO_REUSEPORT")
                options.append(socket.SO_REUSEPORT)
            ways = await self._datagram_ends(local_addr, remote_addr, family, proto, flags)
            sock, address = await self._datagram_socket(ways, options, connects=not allow_broadcast)
        else:
            given = {
                "local_addr": local_addr,
                "remote_addr": remote_addr,
                "family": family,
                "proto": proto,
                "flags": flags,
                "reuse_port": reuse_port,
                "allow_broadcast": allow_broadcast,
            }
            _check_datagram(sock, [name for name, value in given.items() if value])
            sock.setblocking(False)
            address = None
        return await self._start_endpoint(sock, protocol_factory, address)

    async def _start_endpoint(
        self, sock: socket.socket, protocol_factory: ProtocolFactory, address: Any
    ) -> tuple[asyncio.DatagramTransport, asyncio.BaseProtocol]:
        try:
            self._readiness.refuse_transport(sock.fileno(), sock)
            protocol = protocol_factory()
        except BaseException:
            sock.close()
            raise
        waiter: asyncio.Future[None] = self.create_future()
        transport = DatagramTransport(self, sock, protocol, address, waiter)
        if self._debug:
            logger.debug("Datagram endpoint %r created for %r", transport, protocol)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        return transport, protocol

    async def _datagram_ends(
        self, local: Any, remote: Any, family: int, proto: int, flags: int
    ) -> list[_Ends]:
        if not local and not remote:
            if not family:
                raise ValueError("create_datagram_endpoint() needs an address, a family or a sock")
            return [_Ends(family, proto, None, None)]
        if hasattr(socket, "AF_UNIX") and family == socket.AF_UNIX:
            for address in (local, remote):
                if address is not None and not isinstance(address, str):
                    raise TypeError(f"an address of AF_UNIX is a str, got {address!r}")
            if local and not is_abstract(local):
                remove_stale(local)
            return [_Ends(family, proto, local or None, remote or None)]
        # What both names resolve to, by family and protocol.
        found: dict[tuple[int, int], list[Any]] = {}
        for index, address in enumerate((local, remote)):
            if address is None:
                continue
            if not (isinstance(address, tuple) and len(address) == 2):
                raise TypeError(f"an address is a tuple of host and port, got {address!r}")
            infos = await resolve(
                self, address, family=family, kind=socket.SOCK_DGRAM, proto=proto, flags=flags
            )
            for info_family, _, info_proto, _, resolved in infos:
                found.setdefault((info_family, info_proto), [None, None])[index] = resolved
        ways = [
            _Ends(*kind, *ends)
            for kind, ends in found.items()
            if not (local and ends[0] is None) and not (remote and ends[1] is None)
        ]
        if not ways:
            raise ValueError(f"{local!r} and {remote!r} have no address family in common")
        return ways

    async def _datagram_socket(
        self, ways: list[_Ends], options: list[int], *, connects: bool
    ) -> tuple[socket.socket, Any]:
        """A socket made in the first way that works, and where everything sent goes to."""
        errors: list[OSError] = []
        for way in ways:
            try:
                sock = socket.socket(way.family, socket.SOCK_DGRAM, way.proto)
            except OSError as error:
                errors.append(error)
                continue
            try:
                sock.setblocking(False)
                for option in options:
                    sock.setsockopt(socket.SOL_SOCKET, option, 1)
                if way.local is not None:
                    sock.bind(way.local)
                if way.remote is not None and connects:
                    await self.sock_connect(sock, way.remote)
                return sock, way.remote
            except BaseException as error:
                sock.close()
                if not isinstance(error, OSError):
                    raise
                errors.append(error)
        try:
            raise errors[0]
        finally:
            errors.clear()  # their tracebacks hold this frame: no cycle is left behind


def _check_datagram(sock: socket.socket, given: list[str]) -> None:
    refuse_tls(sock)
    if sock.type == socket.SOCK_STREAM:
        raise ValueError(f"a datagram socket is needed, got {sock!r}")
    if given:
        raise ValueError(f"create_datagram_endpoint() takes a sock or {', '.join(given)}, not both")
