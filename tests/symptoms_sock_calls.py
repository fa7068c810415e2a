"""How the faults of `faulty_sock_calls` show."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from symptoms import shows, socket_pairs, turn


@contextmanager
def boxes() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two sockets for datagrams that do not block."""
    with socket.socket(type=socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        for box in (one, other):
            box.bind(("127.0.0.1", 0))
            box.setblocking(False)
        yield one, other


@shows("sender_forgotten", right=(b"abc", True))
def a_datagram_has_a_sender(loop: Any, _patience_s: float) -> object:
    with boxes() as (one, other):
        one.sendto(b"abc", other.getsockname())
        data, sender = loop.run_until_complete(loop.sock_recvfrom(other, 9))
        return data, sender == one.getsockname()


@shows("whole_buffer_taken", right=2)
def no_more_is_taken_than_asked_for(loop: Any, _patience_s: float) -> object:
    with boxes() as (one, other):
        one.sendto(b"abc", other.getsockname())
        return loop.run_until_complete(loop.sock_recvfrom_into(other, bytearray(9), 2))[0]


@shows("sendto_without_count", right=3)
def what_is_sent_is_counted(loop: Any, _patience_s: float) -> object:
    with boxes() as (one, other):
        return loop.run_until_complete(loop.sock_sendto(one, b"abc", other.getsockname()))


@shows("cancelled_recvfrom_takes_one", right=b"abc")
def a_cancelled_call_takes_nothing(loop: Any, _patience_s: float) -> object:
    with boxes() as (one, other):
        waiting = loop.create_task(loop.sock_recvfrom(other, 9))
        turn(loop)
        waiting.cancel()
        turn(loop)
        one.sendto(b"abc", other.getsockname())
        turn(loop)
        try:
            return other.recv(9)
        except BlockingIOError:
            return "nothing is left"
        finally:
            loop.remove_reader(other)


@shows("rest_sent_from_the_start", "rest_not_sent", right=True)
def every_byte_is_sent_once(loop: Any, patience_s: float) -> object:
    data, got = bytes(i % 251 for i in range(1_000_000)), bytearray()

    async def receive(ours: socket.socket, peer: socket.socket) -> None:
        sending = loop.create_task(loop.sock_sendall(ours, data))
        while len(got) < len(data):
            got.extend(await loop.sock_recv(peer, 100_000))
        await sending

    with socket_pairs(1) as [(ours, peer)]:
        try:
            loop.run_until_complete(asyncio.wait_for(receive(ours, peer), patience_s))
        except TimeoutError:
            return f"{len(got)} bytes"
        return bytes(got) == data


@shows("buffer_counted_whole", right=3)
def what_came_is_counted(loop: Any, _patience_s: float) -> object:
    with socket_pairs(1) as [(ours, peer)]:
        peer.send(b"abc")
        return loop.run_until_complete(loop.sock_recv_into(ours, bytearray(9)))
