"""What is left behind: by loops, connections and failures. Nothing."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import struct
import sys
import warnings
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from collector import collect
from loops_under_test import OURS, SELECTORS, new_loop, opened, turn
from muxloop import EventLoop, open_selector

resource = pytest.importorskip("resource")


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What dies in the test dies by its reference count."""
    if sys.implementation.name != "cpython":
        pytest.skip("nothing is freed here but by the collector")
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def open_files() -> int:
    return len(os.listdir("/dev/fd"))


def take_all_descriptors() -> list[int]:
    """Duplicates of standard input, until there is no descriptor left."""
    taken = []
    while True:
        try:
            taken.append(os.dup(0))
        except OSError:
            return taken


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("selector", OURS)
def test_a_closed_loop_needs_no_collector(selector: str) -> None:
    loop = new_loop(selector)

    loop.run_until_complete(asyncio.to_thread(int))
    dead = weakref.ref(loop)
    loop.close()
    del loop
    assert dead() is None


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_forgotten_loop_is_closed_by_the_collector(selector: str) -> None:
    """In whatever order that takes the loop, its selector and what the selector works with."""
    loop = new_loop(selector)
    loop.run_until_complete(asyncio.sleep(0))
    ours, theirs = socket.socketpair()
    loop.add_reader(ours, int)
    loop.itself = loop  # type: ignore[attr-defined]
    number = loop._waker.fileno()
    with ours, theirs:
        del loop
        with pytest.warns(ResourceWarning, match="unclosed event loop"):
            collect()
        with pytest.raises(OSError, match="descriptor"):
            os.fstat(number)


@pytest.mark.usefixtures("no_collector")
def test_a_closed_connection_needs_no_collector(loop: EventLoop) -> None:
    class Protocol(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

    async def main() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            transport, protocol = await loop.create_connection(Protocol, sock=ours)
            dead = weakref.ref(transport), weakref.ref(protocol)
            transport.close()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert transport.get_protocol() is None
            del transport, protocol
            assert [ref() for ref in dead] == [None, None]

    loop.run_until_complete(main())


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("found_by", ["reading", "writing"])
def test_a_connection_that_was_reset_needs_no_collector(loop: EventLoop, found_by: str) -> None:
    """Its protocol keeps the error, as streams do, who tell of it when they are the first to be collected."""

    class Protocol(asyncio.Protocol):
        def __init__(self) -> None:
            self.lost = loop.create_future()

        def connection_lost(self, exc: Exception | None) -> None:
            self.error = exc
            self.lost.set_result(None)

    async def main() -> weakref.ref[Protocol]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            transport, protocol = await loop.create_connection(Protocol, *listener.getsockname())
            theirs = listener.accept()[0]
        if found_by == "writing":
            transport.pause_reading()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        while found_by == "writing" and not transport.is_closing():
            transport.write(b"data")
        await protocol.lost
        assert isinstance(protocol.error, ConnectionError)
        return weakref.ref(protocol)

    assert loop.run_until_complete(main())() is None


@pytest.mark.usefixtures("no_collector")
def test_a_refused_connection_needs_no_collector(loop: EventLoop) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()

    class Factory:
        def __call__(self) -> asyncio.Protocol:
            return asyncio.Protocol()

    async def main() -> weakref.ref[Any]:
        factory = Factory()
        with pytest.raises(ConnectionRefusedError):
            await loop.create_connection(factory, *address)
        return weakref.ref(factory)

    assert loop.run_until_complete(main())() is None


def test_a_protocol_factory_that_fails_leaks_no_socket(loop: EventLoop) -> None:
    def fail() -> asyncio.Protocol:
        raise LookupError("no protocol")

    collect()  # what other tests have left

    async def main() -> None:
        server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
        async with server:
            with warnings.catch_warnings():
                warnings.simplefilter("error", ResourceWarning)
                with pytest.raises(LookupError):
                    await loop.create_connection(fail, *server.sockets[0].getsockname())
                collect()

    loop.run_until_complete(main())


@pytest.mark.parametrize("delay", [None, 60])
def test_a_cancelled_connection_leaks_no_socket(loop: EventLoop, delay: float | None) -> None:
    connected = False
    with (
        socket.create_server(("127.0.0.1", 0), backlog=30) as listener,
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always", ResourceWarning)
        address = listener.getsockname()
        for turns in range(30):  # cancelled after each of the steps that it takes
            connecting = loop.create_task(
                loop.create_connection(asyncio.Protocol, *address, happy_eyeballs_delay=delay)
            )
            turn(loop, turns)
            connecting.cancel()
            with suppress(asyncio.CancelledError):
                loop.run_until_complete(connecting)[0].close()
                connected = True
            turn(loop, 3)
        del connecting
        gc.collect()
    assert connected
    assert [str(warning.message) for warning in warned] == []


@pytest.mark.parametrize("delay", [None, 0.1])
def test_what_is_no_matter_of_the_network_is_raised_as_it_is(loop: EventLoop, delay: float | None) -> None:
    async def main() -> None:
        with pytest.raises(OverflowError):
            await loop.create_connection(asyncio.Protocol, "127.0.0.1", 70_000, happy_eyeballs_delay=delay)

    loop.run_until_complete(main())


@pytest.mark.parametrize("spare", [0, 1])
@pytest.mark.parametrize("selector", OURS)
def test_a_loop_that_finds_no_descriptors_leaves_none(
    selector: str, spare: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMFILE in the midst of the constructor: the error comes through, and nothing is made by half."""
    ignored: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", ignored.append)
    before = open_files()
    opened_selector = open_selector(selector)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as cleanup:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
        cleanup.callback(resource.setrlimit, resource.RLIMIT_NOFILE, limits)
        taken = take_all_descriptors()
        for _ in range(spare):
            os.close(taken.pop())
        for fd in taken:
            cleanup.callback(os.close, fd)
        with warnings.catch_warnings():
            warnings.simplefilter("error", ResourceWarning)
            with pytest.raises(OSError, match="Too many"):
                EventLoop(opened_selector)
            gc.collect()
    assert open_files() == before
    assert ignored == []


@pytest.mark.skipif("select" not in OURS, reason="this system has no select")
def test_a_selector_that_refuses_the_waker_leaves_nothing() -> None:
    before = open_files()
    selector = open_selector("select")
    selector.close()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with pytest.raises(RuntimeError, match="closed"):
            EventLoop(selector)
        gc.collect()
    assert open_files() == before
