"""Actions on datagram endpoints and their peers."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import tempfile
from collections import deque
from pathlib import Path
from typing import Any

from .connections import payload, state_of
from .servers import Servers

_LARGEST = 1 << 16
_LOOK_AGAIN_S = 0.001
ON_THE_WAY = 100_000
"""Bytes that wait to be received: of more, kernels throw some away, and nobody is to blame (udp(7))."""
_WAITING = 10
"""So many datagrams wait for one Unix socket by default (net.unix.max_dgram_qlen)."""


class Endpoint:
    """A datagram transport with its protocol and peer."""

    def __init__(self, number: int, way: str) -> None:
        self.number, self.way = number, way
        self.near: socket.socket | None = None
        """The socket that the transport gets, when it does not make its own."""
        self.folder: tempfile.TemporaryDirectory[str] | None = None
        """Where the names of a Unix endpoint and of its peer are."""
        if way == "unnamed":
            self.near, self.peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        elif way == "unix":
            self.folder = tempfile.TemporaryDirectory()
            self.near, self.peer = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))
            self.near.bind(str(Path(self.folder.name, "near")))
            self.peer.bind(str(Path(self.folder.name, "peer")))
            self.near.connect(self.peer.getsockname())  # not back: the peer would have room for more
        else:
            self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.peer.bind(("127.0.0.1", 0))
        self.peer.setblocking(False)
        self.address = self.peer.getsockname()
        self.transport: Any = None
        self.owed = 0
        """How many datagrams of a Unix endpoint its peer has not received yet: there, none gets lost."""
        self.sent = 0
        """How many datagrams the peer has sent."""
        self.heard = 0
        self.on_the_way: deque[int] = deque()
        """The sizes of what the peer has sent and the loop has not received yet."""
        self.gone = False
        self.closed = False
        self.lost = False


class DatagramTalker(asyncio.DatagramProtocol):
    """A protocol that passes on what it is told."""

    def __init__(self, stage: Datagrams, endpoint: Endpoint) -> None:
        self.stage, self.endpoint = stage, endpoint

    def connection_made(self, transport: Any) -> None:
        self.endpoint.transport = transport
        where = transport.get_extra_info("sockname")
        self.stage.told_of_datagram(self.endpoint, "connection_made", at=repr(where))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.endpoint.heard += 1
        if self.endpoint.on_the_way:
            self.endpoint.on_the_way.popleft()
        self.stage.told_of_datagram(
            self.endpoint,
            "datagram_received",
            size=len(data),
            intact=bytes(data) == payload(len(data), len(data)),
            from_peer=self.endpoint.way == "unnamed" or list(addr or ()) == list(self.endpoint.address),
        )

    def pause_writing(self) -> None:
        self.stage.told_of_datagram(self.endpoint, "pause_writing")

    def resume_writing(self) -> None:
        self.stage.told_of_datagram(self.endpoint, "resume_writing")

    def error_received(self, exc: Exception) -> None:
        self.stage.told_of_datagram(self.endpoint, "error_received", exception=type(exc).__name__)

    def connection_lost(self, exc: Exception | None) -> None:
        exception = repr(exc) if exc is not None else None
        self.endpoint.lost = True
        self.stage.told_of_datagram(self.endpoint, "connection_lost", exception=exception)


class Datagrams(Servers):
    """endpoint, sendto, burst, datagram, take_datagrams…"""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.endpoints: dict[int, Endpoint] = {}

    def told_of_datagram(self, endpoint: Endpoint, what: str, **data: Any) -> None:
        self._activity += 1
        self.note("told-datagram", str(endpoint.number), what=what, **data)
        if what != "datagram_received" or endpoint.heard >= endpoint.sent:
            self.met(f"{what} of endpoint {endpoint.number}")
        self.consider_ending()

    def do_endpoint(self, pair: int, text: str) -> None:
        if pair in self.endpoints:
            return
        endpoint = self.endpoints[pair] = Endpoint(pair, text)
        self.errand("endpoint", pair, lambda: self._open_endpoint(endpoint), way=text)

    async def _open_endpoint(self, endpoint: Endpoint) -> None:
        if endpoint.near is not None:
            where: dict[str, Any] = {"sock": endpoint.near}
        else:
            where = {"local_addr": ("127.0.0.1", 0)}
            if endpoint.way == "connected":
                where["remote_addr"] = endpoint.address
        try:
            await self.loop.create_datagram_endpoint(lambda: DatagramTalker(self, endpoint), **where)
        except BaseException:
            if endpoint.near is not None:
                endpoint.near.close()
            raise

    def _endpoint_at(self, pair: int) -> Endpoint | None:
        endpoint = self.endpoints.get(pair)
        return endpoint if endpoint is not None and endpoint.transport is not None else None

    def do_sendto(self, pair: int, size: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is None or endpoint.closed:
            return
        self.do_take_datagrams(pair)
        if endpoint.gone and endpoint.way != "bound":
            self.expect(f"error_received of endpoint {pair}")
        self._send_datagram(endpoint, size)

    def do_burst(self, pair: int, count: int, size: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is None or endpoint.closed:
            return
        for longer in range(count):
            self._send_datagram(endpoint, size + longer)

    def _send_datagram(self, endpoint: Endpoint, size: int) -> None:
        error = None
        try:
            to = endpoint.address if endpoint.way == "bound" else None
            endpoint.transport.sendto(payload(size, size), to)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        else:
            endpoint.owed += 1
        self.note("sendto", str(endpoint.number), size=size, gone=endpoint.gone, error=error)

    def do_close_endpoint(self, pair: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is None or endpoint.closed:
            return
        endpoint.closed = True
        self.met(f"datagram_received of endpoint {pair}")
        self.met(f"error_received of endpoint {pair}")
        if not endpoint.lost:
            self.expect(f"connection_lost of endpoint {pair}")
        self.note("close-endpoint", str(pair))
        endpoint.transport.close()

    def do_datagram(self, pair: int, size: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is None or endpoint.gone or endpoint.closed:
            return
        if sum(endpoint.on_the_way) + size > ON_THE_WAY:
            return
        if endpoint.near is not None and len(endpoint.on_the_way) >= _WAITING:
            return
        if endpoint.way == "unnamed":
            endpoint.peer.send(payload(size, size))
        else:
            endpoint.peer.sendto(payload(size, size), endpoint.transport.get_extra_info("sockname"))
        endpoint.on_the_way.append(size)
        endpoint.sent += 1
        self.expect(f"datagram_received of endpoint {pair}")
        self.note("datagram", str(pair), size=size)

    def do_take_datagrams(self, pair: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is None or endpoint.gone:
            return
        with contextlib.suppress(OSError):
            while True:
                data = endpoint.peer.recv(_LARGEST)
                endpoint.owed -= 1
                intact = data == payload(len(data), len(data))
                self.note("took-datagram", str(pair), size=len(data), intact=intact)

    def do_drain_datagrams(self, pair: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is not None:
            self.expect(f"all datagrams of endpoint {pair}")
            self._drain_endpoint(endpoint)

    def _drain_endpoint(self, endpoint: Endpoint) -> None:
        self.do_take_datagrams(endpoint.number)
        if endpoint.owed > 0:
            self.loop.call_later(_LOOK_AGAIN_S, self._drain_endpoint, endpoint)
        else:
            self.arrived(f"all datagrams of endpoint {endpoint.number}")

    def do_look_endpoint(self, pair: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is not None:
            self.note("looked-endpoint", str(pair), owed=endpoint.owed, **state_of(endpoint.transport))

    def do_no_peer(self, pair: int) -> None:
        endpoint = self._endpoint_at(pair)
        if endpoint is not None and not endpoint.gone:
            endpoint.gone = True
            endpoint.peer.close()
            self.note("no-peer", str(pair))

    def close_endpoints(self) -> None:
        for endpoint in self.endpoints.values():
            endpoint.peer.close()
            if endpoint.folder is not None:
                endpoint.folder.cleanup()
