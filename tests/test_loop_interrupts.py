"""KeyboardInterrupt in awkward places: it leaves the loop at once, and the loop works afterwards."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import SELECTORS, opened, turn
from muxloop import EventLoop


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


class Interrupted(asyncio.Protocol):
    """Raises KeyboardInterrupt in one method, the first time."""

    def __init__(self, method: str) -> None:
        self.method = method
        self.called: list[str] = []

    def _note(self, method: str) -> None:
        self.called.append(method)
        if method == self.method and self.called.count(method) == 1:
            raise KeyboardInterrupt

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: ARG002
        self._note("connection_made")

    def data_received(self, data: bytes) -> None:  # noqa: ARG002
        self._note("data_received")

    def eof_received(self) -> bool:
        self._note("eof_received")
        return False

    def pause_writing(self) -> None:
        self._note("pause_writing")

    def resume_writing(self) -> None:
        self._note("resume_writing")

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self._note("connection_lost")


def run_through(loop: EventLoop, main: Any) -> int:
    """Run a task to its end; how often KeyboardInterrupt came out of the loop."""
    task = loop.create_task(main)
    interrupts = 0
    while not task.done():
        try:
            turn(loop)
        except KeyboardInterrupt:
            interrupts += 1
            assert not loop.is_running()
    task.result()
    return interrupts


@pytest.mark.parametrize("method", ["connection_made", "data_received", "resume_writing", "connection_lost"])
def test_a_connection_survives_an_interrupt_of_its_protocol(loop: EventLoop, method: str) -> None:
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    protocol = Interrupted(method)

    async def main() -> None:
        transport, _ = await loop.create_connection(lambda: protocol, sock=ours)
        theirs.send(b"data")
        while "data_received" not in protocol.called:
            await asyncio.sleep(0)
        sent = 0
        while "pause_writing" not in protocol.called:
            transport.write(bytes(1_000_000))  # some systems take any amount at once, until they have some
            sent += 1_000_000
        transport.close()
        received = 0
        while data := await loop.sock_recv(theirs, 65536):
            received += len(data)
        assert received == sent
        while "connection_lost" not in protocol.called:
            await asyncio.sleep(0)

    with theirs:
        assert run_through(loop, main()) == 1
    assert protocol.called == [
        "connection_made",
        "data_received",
        "pause_writing",
        "resume_writing",
        "connection_lost",
    ]
    assert ours.fileno() == -1


def test_a_protocol_factory_that_is_interrupted_costs_one_connection(loop: EventLoop) -> None:
    made: list[str] = []

    def factory() -> asyncio.Protocol:
        made.append("protocol")
        if len(made) == 1:
            raise KeyboardInterrupt
        return asyncio.Protocol()

    async def main() -> None:
        server = await loop.create_server(factory, "127.0.0.1", 0)
        address = server.sockets[0].getsockname()
        with socket.create_connection(address) as first, socket.create_connection(address):
            first.setblocking(False)
            assert await loop.sock_recv(first, 1) == b""
            while len(made) < 2:
                await asyncio.sleep(0)
        server.close()
        await server.wait_closed()

    assert run_through(loop, main()) == 1


def test_an_interrupt_while_the_loop_sets_out_leaves_it_stopped(
    loop: EventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*args: Any, **options: Any) -> int:  # noqa: ARG001
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(signal, "set_wakeup_fd", interrupt)
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
    assert not loop.is_running()
    assert asyncio._get_running_loop() is None
    assert loop.run_until_complete(asyncio.sleep(0, "done")) == "done"


def test_none_is_no_callback(loop: EventLoop) -> None:
    """Not a handle that counts as cancelled: the mistake would be silent."""
    for call in (
        lambda: loop.call_soon(None),  # type: ignore[arg-type]
        lambda: loop.call_soon_threadsafe(None),  # type: ignore[arg-type]
        lambda: loop.call_later(0, None),  # type: ignore[arg-type]
        lambda: loop.call_at(0, None),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match="callable"):
            call()
