"""A protocol is called in one context of its connection, whoever resumes reading, writes or closes.

Since 3.15 that is so in CPython's loop, too; before, what a task had set leaked into the protocol's calls
when it resumed reading (gh-140947).
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest
from loops_under_test import OURS, opened
from muxloop import EventLoop
from muxloop.conformance.player.tls_peer import client_context, server_context

who: ContextVar[str] = ContextVar("who", default="nobody")
own: ContextVar[object] = ContextVar("own", default=None)


@pytest.fixture(params=OURS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


class Witness(asyncio.Protocol, asyncio.DatagramProtocol):
    """Notes in which context it is called, and which connection's own variable it sees."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self.note("factory")
        own.set(self)
        loop = asyncio.get_running_loop()
        self.heard: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()

    def note(self, call: str) -> None:
        self.seen.append((call, who.get()))
        if call != "factory" and own.get() is not self:
            self.seen.append((call, "sees what another connection has set"))

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.note("made")

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        self.note("data")
        self.heard.set_result(None)

    def datagram_received(self, data: bytes, addr: Any) -> None:  # noqa: ARG002
        self.data_received(data)

    def resume_writing(self) -> None:
        self.note("resume_writing")
        self.heard.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self.note("lost")
        self.lost.set_result(None)


async def read_on_and_close(witness: Witness, send: Callable[[], object]) -> None:
    """To be run in a task other than the one that made the connection."""
    who.set("task")
    witness.transport.pause_reading()
    send()
    witness.transport.resume_reading()
    await witness.heard
    witness.transport.close()
    await witness.lost


def calls_of(context: str, *calls: str) -> list[tuple[str, str]]:
    return [(call, context) for call in calls]


@pytest.mark.parametrize("secured", [False, True], ids=["plain", "tls"])
def test_each_connection_of_a_server_has_a_copy_of_its_context(loop: EventLoop, secured: bool) -> None:
    async def main() -> None:
        admitted: asyncio.Queue[Witness] = asyncio.Queue()

        class Served(Witness):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                admitted.put_nowait(self)

        who.set("server")
        tls = server_context() if secured else None
        server = await loop.create_server(Served, "127.0.0.1", 0, ssl=tls, start_serving=False)
        who.set("who starts it")
        await server.start_serving()
        for _ in range(2):
            peer, _ = await loop.create_connection(
                asyncio.Protocol,
                *server.sockets[0].getsockname(),
                ssl=client_context() if secured else None,
                server_hostname="localhost" if secured else None,
            )
            served = await admitted.get()
            await asyncio.create_task(read_on_and_close(served, partial(peer.write, b"x")))
            assert served.seen == calls_of("server", "factory", "made", "data", "lost")
        server.close()
        await server.wait_closed()

    loop.run_until_complete(main())


def test_a_client_is_called_in_the_context_of_who_connected(loop: EventLoop) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            who.set("client")
            _, witness = await loop.create_connection(Witness, sock=ours)
            assert isinstance(witness, Witness)
            await asyncio.create_task(read_on_and_close(witness, partial(theirs.send, b"x")))
            assert witness.seen == calls_of("client", "factory", "made", "data", "lost")

    loop.run_until_complete(main())


def test_who_writes_does_not_lend_the_protocol_a_context(loop: EventLoop) -> None:
    async def main() -> None:
        ours, theirs = socket.socketpair()
        theirs.setblocking(False)
        with theirs:
            who.set("client")
            _, witness = await loop.create_connection(Witness, sock=ours)
            assert isinstance(witness, Witness)

            async def write() -> None:
                who.set("task")
                witness.transport.set_write_buffer_limits(0)
                while not witness.transport.get_write_buffer_size():
                    witness.transport.write(bytes(100_000))
                while not witness.heard.done():
                    await loop.sock_recv(theirs, 100_000)
                witness.transport.abort()
                await witness.lost

            await asyncio.create_task(write())
            assert witness.seen == calls_of("client", "factory", "made", "resume_writing", "lost")

    loop.run_until_complete(main())


def test_an_endpoint_for_datagrams_has_one_context(loop: EventLoop) -> None:
    async def main() -> None:
        who.set("endpoint")
        _, witness = await loop.create_datagram_endpoint(Witness, local_addr=("127.0.0.1", 0))
        assert isinstance(witness, Witness)
        with socket.socket(type=socket.SOCK_DGRAM) as peer:
            address = witness.transport.get_extra_info("sockname")

            async def receive_and_close() -> None:
                who.set("task")
                peer.sendto(b"x", address)
                await witness.heard
                witness.transport.close()
                await witness.lost

            await asyncio.create_task(receive_and_close())
            assert witness.seen == calls_of("endpoint", "factory", "made", "data", "lost")

    loop.run_until_complete(main())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes that a loop could watch")
def test_a_pipe_has_one_context(loop: EventLoop) -> None:
    async def main() -> None:
        reader, writer = os.pipe()
        with open(reader, "rb", 0) as file, open(writer, "wb", 0) as peer:
            who.set("pipe")
            _, witness = await loop.connect_read_pipe(Witness, file)
            await asyncio.create_task(read_on_and_close(witness, partial(peer.write, b"x")))
            assert witness.seen == calls_of("pipe", "factory", "made", "data", "lost")

    loop.run_until_complete(main())
