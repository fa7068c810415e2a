"""Faults in datagram transports (rules DGM)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import os
import socket
from asyncio import selector_events
from typing import Any

from faulty_base import FaultBed, SteppedLoop

NAMELESS = ""
"""The name of a Unix socket that has none."""
DATAGRAM_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

Reference: Any = selector_events._SelectorDatagramTransport  # type: ignore[attr-defined]


class SoundEndpoint(Reference):  # type: ignore[misc]
    """CPython's transport without what 3.13 breaks (gh-135444), and able to send to peers without a name."""

    header_bytes = 8

    def sendto(self, data: Any, addr: Any = None) -> None:
        if not self._buffer:
            try:
                self._pass_on(data, addr)
                return
            except BlockingIOError:
                self._loop._add_writer(self._sock_fd, self._sendto_ready)
            except OSError as error:
                self._protocol.error_received(error)
                return
        self._buffer.append((bytes(data), addr))
        self._buffer_size += len(data) + self.header_bytes
        self._maybe_pause_protocol()

    def _pass_on(self, data: bytes, addr: Any) -> None:
        if self._address is not None or addr is None:
            self._sock.send(data)
        else:
            self._sock.sendto(data, addr)

    def _sendto_ready(self) -> None:
        while self._buffer:
            data, addr = self._next_kept()
            try:
                self._pass_on(data, addr)
            except BlockingIOError:
                self._buffer.appendleft((data, addr))
                break
            except OSError as error:
                self._protocol.error_received(error)
            self._buffer_size -= self._counted(data)
        self._maybe_resume_protocol()
        if not self._buffer:
            self._loop._remove_writer(self._sock_fd)
            if self._closing:
                self._call_connection_lost(None)

    def _next_kept(self) -> Any:
        return self._buffer.popleft()

    def _counted(self, data: bytes) -> int:
        return len(data) + self.header_bytes


class EndpointsLoop(SteppedLoop):
    """Makes datagram transports of `endpoint_type`."""

    endpoint_type: type[Any] = SoundEndpoint

    def _make_datagram_transport(
        self, sock: socket.socket, protocol: Any, address: Any = None, waiter: Any = None, extra: Any = None
    ) -> Any:
        self._ensure_fd_no_transport(sock)
        return self.endpoint_type(self, sock, protocol, address, waiter, extra)


plant = DATAGRAM_FAULTS.plant_in(EndpointsLoop, "endpoint_type")


@plant
class CutsDatagrams(SoundEndpoint):
    """invented: a datagram loses what is beyond its first kilobyte. Breaks DGM-01."""

    max_size = 1024


@plant
class RefusalEndsEndpoint(SoundEndpoint):
    """invented: a datagram that nobody takes ends the endpoint that sent it. Breaks DGM-01."""

    def _read_ready(self) -> None:
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._fatal_error(OSError(error, os.strerror(error)))
        else:
            super()._read_ready()


@plant
class HeadersStayCounted(SoundEndpoint):
    """gh-135444: the header of a datagram that was kept stays counted when it is sent. Breaks DGM-03."""

    def _counted(self, data: bytes) -> int:
        return len(data)


@plant
class NewestDatagramFirst(SoundEndpoint):
    """invented: of the datagrams that are kept the newest is sent first. Breaks DGM-03."""

    def _next_kept(self) -> Any:
        return self._buffer.pop()


@plant
class KeptDatagramsEmptied(SoundEndpoint):
    """seen in talyn 0.10: a datagram that the socket had no room for is sent empty. Breaks DGM-03."""

    def _next_kept(self) -> Any:
        data, addr = super()._next_kept()
        self._buffer_size -= len(data)
        return b"", addr


@plant
class CloseDropsDatagrams(SoundEndpoint):
    """invented: close() drops the datagrams that are kept. Breaks DGM-03."""

    def close(self) -> None:
        self.abort()


@plant
class NamelessPeerEndsEndpoint(SoundEndpoint):
    """seen in CPython 3.13: sending to a connected peer without a name ends the endpoint. Breaks DGM-04."""

    def _pass_on(self, data: bytes, addr: Any) -> None:
        if self._extra["peername"] != NAMELESS:
            super()._pass_on(data, addr)
        else:
            self._fatal_error(TypeError("no address"))


@plant
class HearsNoPeerWithoutName(SoundEndpoint):
    """invented: what comes from a sender without a name is taken for nothing. Breaks DGM-04."""

    def _read_ready(self) -> None:
        if self._extra["peername"] != NAMELESS:
            super()._read_ready()
        else:
            self._sock.recv(self.max_size)


@plant
class WatchesForWritingInVain(SoundEndpoint):
    """invented: when all that was kept is sent, the endpoint is watched for writing all the same. Breaks
    RES-09."""

    def _sendto_ready(self) -> None:
        super()._sendto_ready()
        if not self._buffer and not self._closing:
            self._loop._add_writer(self._sock_fd, lambda: None)
