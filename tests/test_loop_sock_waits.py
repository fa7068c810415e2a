"""How the ``sock_*`` coroutines wait: what stays registered, and what is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import errno
import gc
import socket
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import OURS, SELECTORS, new_loop, opened, turn
from muxloop import EventLoop
from numbered_sockets import give_number

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


async def turns() -> None:
    """Enough turns of the loop for a task to take what is ready and to wait again."""
    for _ in range(4):
        await asyncio.sleep(0)


class WatchedSelector:
    """Counts what the loop asks of a selector of ours."""

    def __init__(self, loop: EventLoop, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        for name in ("register", "unregister", "modify"):
            monkeypatch.setattr(loop._selector, name, self._counted(getattr(loop._selector, name)))

    def _counted(self, call: Any) -> Any:
        def counted(*args: Any) -> Any:
            self.calls += 1
            return call(*args)

        return counted


@pytest.mark.parametrize("selector", OURS)
def test_a_connection_served_in_a_loop_stays_registered(
    selector: str, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pair
    monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", "0")  # a validator gets no registration beyond its step
    loop = new_loop(selector)
    watched = WatchedSelector(loop, monkeypatch)

    async def main() -> None:
        async def echo() -> None:
            while data := await loop.sock_recv(theirs, 100):
                await loop.sock_sendall(theirs, data)

        echoing = loop.create_task(echo())
        for _ in range(50):
            await asyncio.sleep(0)  # so that only the echo waits
            await loop.sock_sendall(ours, b"x")
            while True:
                try:
                    assert ours.recv(10) == b"x"
                    break
                except BlockingIOError:
                    await asyncio.sleep(0)
        assert watched.calls < 10
        ours.close()
        await echoing
        assert loop.remove_reader(theirs) is False

    loop.run_until_complete(main())
    loop.close()


@pytest.mark.parametrize("method", ["sock_recv", "sock_sendall", "sock_accept"])
def test_a_call_ends_when_its_socket_is_closed_underfoot(loop: EventLoop, pair: Pair, method: str) -> None:
    ours, _ = pair
    with contextlib.suppress(BlockingIOError):
        while method == "sock_sendall":
            ours.send(bytes(65536))
    waited = socket.create_server(("127.0.0.1", 0)) if method == "sock_accept" else ours
    waited.setblocking(False)
    arguments = {"sock_recv": [1], "sock_sendall": [b"x"], "sock_accept": []}[method]

    async def main() -> None:
        loop.call_later(0.01, waited.close)
        await getattr(loop, method)(waited, *arguments)

    with pytest.raises(OSError) as raised:  # noqa: PT011 - its words are each system's own
        loop.run_until_complete(asyncio.wait_for(main(), 30))
    assert raised.value.errno in (errno.EBADF, errno.ENOTSOCK)  # the latter on Windows


def test_a_socket_closed_between_two_waits_leaves_its_number_free(loop: EventLoop) -> None:
    """Each task closes its socket right after it received, with a duplicate still open and readable."""

    async def serve(sock: socket.socket, rounds: int) -> socket.socket:
        for _ in range(rounds):
            assert await loop.sock_recv(sock, 1) == b"x"
        duplicate = sock.dup()
        sock.close()
        return duplicate

    async def main() -> None:
        for rounds in (1, 2, 3, 5):
            ours, theirs = socket.socketpair()
            for sock in (ours, theirs):
                sock.setblocking(False)
            serving = loop.create_task(serve(ours, rounds))
            for _ in range(rounds):
                await turns()
                theirs.send(b"x")
            theirs.send(b"more")
            duplicate = await serving
            # The number goes to a new socket, and what happens to the former one is not told of it.
            fresh, peer = socket.socketpair()
            with fresh, peer, duplicate, theirs:
                fresh.setblocking(False)
                called = 0

                def count(sock: socket.socket = fresh) -> None:
                    nonlocal called
                    called += 1
                    sock.recv(10)

                loop.add_reader(fresh, count)
                await turns()
                assert not called
                peer.send(b"y")
                while not called:
                    await asyncio.sleep(0)
                assert loop.remove_reader(fresh) is True

    loop.run_until_complete(main())


def test_a_socket_reopened_in_the_same_step_is_another_one(loop: EventLoop) -> None:
    async def main() -> None:
        first, first_peer = socket.socketpair()
        first.setblocking(False)

        async def serve() -> bytes:
            for _ in range(3):
                await loop.sock_recv(first, 1)
            number = first.fileno()
            first.close()
            give_number(second.fileno(), number)
            with socket.socket(fileno=number) as reopened:
                reopened.setblocking(False)
                loop.call_soon(second_peer.send, b"second")
                return await loop.sock_recv(reopened, 10)

        second, second_peer = socket.socketpair()
        with first_peer, second, second_peer:
            serving = loop.create_task(serve())
            for _ in range(3):
                await turns()
                first_peer.send(b"x")
            async with asyncio.timeout(10):
                assert await serving == b"second"

    loop.run_until_complete(main())


def test_a_call_cancelled_when_its_connection_is_steady_leaves_nothing_behind(
    loop: EventLoop, pair: Pair
) -> None:
    ours, theirs = pair

    async def receive(count: int) -> bytes:
        return b"".join([await loop.sock_recv(ours, 1) for _ in range(count)])

    async def main() -> None:
        receiving = loop.create_task(receive(5))
        for _ in range(3):
            await turns()
            theirs.send(b"x")
        await turns()
        theirs.send(b"data")
        loop.call_soon(receiving.cancel)
        with pytest.raises(asyncio.CancelledError):
            await receiving
        assert loop.remove_reader(ours) is False
        assert await loop.sock_recv(ours, 10) == b"data"

    loop.run_until_complete(main())


@pytest.mark.skipif(
    sys.implementation.name != "cpython", reason="everything is garbage where references are not counted"
)
def test_waiting_leaves_no_garbage(loop: EventLoop, pair: Pair) -> None:
    """Neither a call that ends nor one that is cancelled makes a cycle."""
    ours, theirs = pair

    async def main() -> list[weakref.ref[Any]]:
        kept = []
        for cancels in (False, True):
            receiving = loop.create_task(loop.sock_recv(ours, 10))
            await asyncio.sleep(0)
            if cancels:
                receiving.cancel()
            else:
                theirs.send(b"x")
            await asyncio.wait([receiving])
            kept.append(weakref.ref(receiving))
            del receiving
        await asyncio.sleep(0)
        return kept

    gc.disable()
    try:
        assert [ref() for ref in loop.run_until_complete(main())] == [None, None]
    finally:
        gc.enable()


def test_a_waiting_call_takes_second_callbacks_and_keeps_its_context(loop: EventLoop, pair: Pair) -> None:
    """The future that a driver of coroutines sees is an ordinary one."""
    ours, theirs = pair
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="outside")
    seen: list[str] = []

    def note(name: str) -> Any:
        return lambda _: seen.append(f"{name} {variable.get()}")

    coroutine = loop.sock_recv(ours, 10)
    future: Any = coroutine.send(None)
    context = contextvars.copy_context()
    context.run(variable.set, "inside")
    dropped = note("dropped")
    future.add_done_callback(dropped)
    assert future.remove_done_callback(dropped) == 1
    future.add_done_callback(note("first"), context=context)
    future.add_done_callback(note("second"))
    theirs.send(b"data")
    while len(seen) < 2:
        turn(loop)
    assert seen == ["first inside", "second outside"]
    future.add_done_callback(note("late"))
    turn(loop)
    assert seen[2:] == ["late outside"]
    with pytest.raises(StopIteration) as stopped:
        coroutine.send(None)
    assert stopped.value.value == b"data"
