"""How the faults of `faulty_datagrams` show."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

from faulty_datagrams import EndpointsLoop
from symptoms import at_rest, run, shows, turn


class DatagramRecorder(asyncio.DatagramProtocol):
    """A protocol that keeps what it is told, and stops the loop."""

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.log: list[str] = []
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def told(self, what: str) -> None:
        self.log.append(what)
        self.loop.stop()

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002 - as it is called
        self.told(f"datagram {len(data)}")

    def error_received(self, exc: Exception) -> None:
        self.told(type(exc).__name__)

    def connection_lost(self, exc: Exception | None) -> None:
        self.told("lost" if exc is None else f"lost by {type(exc).__name__}")


@shows("cuts_datagrams", "refusal_ends_endpoint", right=["datagram 2000", "ConnectionRefusedError"])
def datagrams_are_whole_and_may_be_refused(loop: Any, patience_s: float) -> object:
    protocol = DatagramRecorder(loop)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        loop.run_until_complete(
            loop.create_datagram_endpoint(
                lambda: protocol, local_addr=("127.0.0.1", 0), remote_addr=peer.getsockname()
            )
        )
        peer.sendto(bytes(2000), protocol.transport.get_extra_info("sockname"))
        run(loop, patience_s)
    protocol.transport.sendto(b"x")
    run(loop, patience_s)
    seen = list(protocol.log)
    protocol.transport.abort()
    turn(loop)
    return seen


SENT = 30
_ROOM_BYTES = 4608
"""The smallest send buffer: for fewer than a dozen small datagrams."""


def _endpoint(loop: Any) -> tuple[DatagramRecorder, socket.socket]:
    """An endpoint on one of a pair of Unix sockets, which have no names; and the other one."""
    protocol = DatagramRecorder(loop)
    near, peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM_BYTES)
    peer.setblocking(False)
    loop.set_exception_handler(lambda *_: None)
    loop.run_until_complete(loop.create_datagram_endpoint(lambda: protocol, sock=near))
    return protocol, peer


def _received(loop: Any, peer: socket.socket, count: int, patience_s: float) -> list[int]:
    """The sizes of what comes, until there are so many or patience ends."""
    sizes: list[int] = []
    until = time.monotonic() + patience_s
    with peer:
        while len(sizes) < count and time.monotonic() < until:
            with contextlib.suppress(BlockingIOError):
                while True:
                    sizes.append(len(peer.recv(100)))
            turn(loop)
    turn(loop)
    return sizes


@shows(
    "headers_stay_counted",
    "newest_datagram_first",
    "kept_datagrams_emptied",
    right=([*range(1, SENT + 1)], 0),
    sound=(EndpointsLoop,),
)
def kept_datagrams_are_sent_in_order(loop: Any, patience_s: float) -> object:
    protocol, peer = _endpoint(loop)
    for size in range(1, SENT + 1):
        protocol.transport.sendto(bytes(size))
    sizes = _received(loop, peer, SENT, patience_s)
    counted = protocol.transport.get_write_buffer_size()
    protocol.transport.abort()
    turn(loop)
    return sizes, counted


@shows("close_drops_datagrams", right=[*range(1, SENT + 1)], sound=(EndpointsLoop,))
def close_sends_what_is_kept(loop: Any, patience_s: float) -> object:
    protocol, peer = _endpoint(loop)
    for size in range(1, SENT + 1):
        protocol.transport.sendto(bytes(size))
    protocol.transport.close()
    return _received(loop, peer, SENT, patience_s)


@shows(
    "nameless_peer_ends_endpoint",
    "hears_no_peer_without_name",
    right=([1], ["datagram 5"]),
    sound=(EndpointsLoop,),
)
def a_peer_needs_no_name(loop: Any, patience_s: float) -> object:
    protocol, peer = _endpoint(loop)
    peer.send(bytes(5))
    protocol.transport.sendto(b"x")
    run(loop, patience_s)
    log = list(protocol.log)
    sizes = _received(loop, peer, 1, patience_s)
    protocol.transport.abort()
    turn(loop)
    return sizes, log


@shows("watches_for_writing_in_vain", right="at rest", sound=(EndpointsLoop,))
def an_endpoint_rests_when_all_is_sent(loop: Any, patience_s: float) -> object:
    protocol, peer = _endpoint(loop)
    for size in range(1, SENT + 1):
        protocol.transport.sendto(bytes(size))
    _received(loop, peer, SENT, patience_s)
    seen = at_rest(loop)
    protocol.transport.abort()
    turn(loop)
    return seen
