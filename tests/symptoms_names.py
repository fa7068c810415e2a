"""How the faults of `faulty_names` show."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from symptoms import shows, turn


class Counted(ThreadPoolExecutor):
    jobs = 0

    def submit(self, *arguments: Any, **keywords: Any) -> Any:
        self.jobs += 1
        return super().submit(*arguments, **keywords)


@shows("literal_looked_up", right=0)
def a_literal_address_is_not_looked_up(loop: Any, _patience_s: float) -> object:
    with Counted(1) as pool, socket.create_server(("127.0.0.1", 0)) as server:
        loop.set_default_executor(pool)
        made = loop.create_connection(asyncio.Protocol, *server.getsockname())
        transport, _ = loop.run_until_complete(made)
        transport.abort()
        turn(loop)
        return pool.jobs


def reached(loop: Any, ends: list[socket.socket], **how: Any) -> int:
    """Which of these a connection to their name gets to."""
    found = [(2, 1, 6, "", end.getsockname()) for end in ends]

    async def lookup(*_: object, **__: object) -> object:
        return found

    loop.getaddrinfo = lookup
    made = loop.create_connection(asyncio.Protocol, "names.test", 80, **how)
    transport, _ = loop.run_until_complete(made)
    peer = transport.get_extra_info("peername")
    transport.abort()
    turn(loop)
    return [address for *_, address in found].index(peer)


@shows("addresses_reversed", "only_first_address_tried", right=1)
def addresses_are_tried_in_their_order(loop: Any, _patience_s: float) -> object:
    nobody, first, second = (socket.socket() for _ in range(3))
    with nobody, first, second:
        ends = [nobody, first, second]
        for end in ends:
            end.bind(("127.0.0.1", 0))
        for end in ends[1:]:
            end.listen()
        return reached(loop, ends)


@shows("hurried_eyeballs", right=(1, True))
def an_address_that_does_not_answer_has_its_time(loop: Any, _patience_s: float) -> object:
    """On Linux a listener whose queue is full does not answer."""
    guests = [socket.socket() for _ in range(3)]
    with (
        socket.create_server(("127.0.0.1", 0), backlog=0) as busy,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        for guest in guests:
            guest.setblocking(False)
            guest.connect_ex(busy.getsockname())
        began = time.monotonic()
        number = reached(loop, [busy, free], happy_eyeballs_delay=0.1)
        took_s = time.monotonic() - began
        for guest in guests:
            guest.close()
        return number, took_s >= 0.099


@shows("name_without_port", right=("127.0.0.1", "80"))
def an_address_has_its_port(loop: Any, _patience_s: float) -> object:
    flags = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV
    return loop.run_until_complete(loop.getnameinfo(("127.0.0.1", 80), flags))
