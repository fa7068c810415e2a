"""What the loop does about forks, started programs, signals and limits: the same on every backend."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from counted_loops import CountedLoop, counted
from forked_children import in_child
from loops_under_test import turn
from muxloop import EventLoop
from selectors_under_test import backends

resource = pytest.importorskip("resource")

Pair = tuple[socket.socket, socket.socket]

forks = pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")


@pytest.fixture(params=backends())
def loop(request: pytest.FixtureRequest) -> Iterator[CountedLoop]:
    yield from counted(request.param)


def goes_on(loop: EventLoop) -> None:
    """Files, timers, threads and signals all reach the loop."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_reader(ours, loop.stop)
        loop.call_later(0.001, theirs.send, b"x")
        loop.run_forever()
        assert ours.recv(10) == b"x"
        assert loop.remove_reader(ours)
    threading.Timer(0.001, loop.call_soon_threadsafe, (loop.stop,)).start()
    loop.run_forever()
    loop.add_signal_handler(signal.SIGUSR1, loop.stop)
    threading.Timer(0.001, os.kill, (os.getpid(), signal.SIGUSR1)).start()
    loop.run_forever()
    loop.remove_signal_handler(signal.SIGUSR1)


def close_it(loop: CountedLoop) -> None:
    loop.close()
    assert loop.is_closed()


def run_a_new_one(loop: CountedLoop) -> None:
    goes_on(new := CountedLoop(loop.backend))
    new.close()


def close_it_and_run_a_new_one(loop: CountedLoop) -> None:
    loop.close()
    run_a_new_one(loop)


def use_asyncio_run(loop: CountedLoop) -> None:  # noqa: ARG001 - one signature for all
    asyncio.run(asyncio.sleep(0.001))


def run_the_inherited_one(loop: CountedLoop) -> None:
    goes_on(loop)
    loop.close()


def change_what_the_inherited_one_watches(loop: CountedLoop) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.add_writer(ours, int)
        loop.run_for(0)
        loop.remove_writer(ours)
    for fd in range(3, 256):
        loop.remove_reader(fd)


@forks
@pytest.mark.parametrize("running", [True, False], ids=["in a callback", "at rest"])
@pytest.mark.parametrize(
    "play",
    [
        close_it,
        run_a_new_one,
        close_it_and_run_a_new_one,
        use_asyncio_run,
        run_the_inherited_one,
        change_what_the_inherited_one_watches,
    ],
    ids=lambda play: play.__name__,
)
def test_a_forked_child_and_its_parent_do_not_disturb_each_other(
    loop: CountedLoop, pair: Pair, play: Callable[[CountedLoop], None], running: bool
) -> None:
    ours, theirs = pair
    codes: list[int] = []
    read: list[bytes] = []

    def played() -> None:
        assert asyncio._get_running_loop() is None
        assert not loop.is_running()
        play(loop)

    def fork() -> None:
        codes.append(in_child(played))
        loop.stop()

    loop.add_reader(ours, lambda: read.append(ours.recv(10)))
    turn(loop)
    if running:
        loop.call_soon(fork)
        loop.run_forever()
    else:
        fork()
    assert codes == [0]
    assert loop.rests()
    theirs.send(b"x")
    turn(loop)
    assert read == [b"x"]
    goes_on(loop)
    assert loop.remove_reader(ours)


@forks
def test_a_child_forked_while_the_loop_waits_does_not_wake_it(loop: CountedLoop) -> None:
    """The child has a copy of the parent's waker, and could send to it or swallow what it got."""
    codes: list[int] = []

    def wake_and_run() -> None:
        loop.call_soon_threadsafe(loop.stop)
        loop.run_forever()

    def fork() -> None:
        while not loop._waker.armed:
            time.sleep(0.001)
        before = loop.waits
        codes.append(in_child(wake_and_run))
        codes.append(loop.waits - before)
        loop.call_soon_threadsafe(loop.stop)

    forker = threading.Thread(target=fork)
    forker.start()
    loop.run_forever()
    forker.join()
    assert codes == [0, 0]
    goes_on(loop)


FDS = "/proc/self/fd" if os.path.exists("/proc/self/fd") else "/dev/fd"


@pytest.mark.skipif(not os.path.isdir(FDS), reason="no list of open descriptors here")
def test_a_program_that_is_started_inherits_nothing(loop: CountedLoop, pair: Pair) -> None:
    def listed() -> list[str]:
        command = [sys.executable, "-c", f"import os; print(*os.listdir({FDS!r}))"]
        return sorted(subprocess.check_output(command, close_fds=False, text=True).split())

    async def main() -> None:
        accepted = loop.create_future()

        def accept() -> asyncio.Protocol:
            accepted.set_result(None)
            return asyncio.Protocol()

        async with await loop.create_server(accept, "127.0.0.1", 0) as server:
            transport, _ = await loop.create_connection(asyncio.Protocol, *server.sockets[0].getsockname())
            await accepted
            assert listed() == before
            transport.abort()

    before = listed()
    loop.add_reader(pair[0], int)
    loop.run_until_complete(main())
    loop.remove_reader(pair[0])


def test_signals_make_no_timer_early_and_no_wait_fail(loop: CountedLoop) -> None:
    """PEP 475: a wait that a signal interrupts goes on."""
    arrived: list[int] = []
    former = signal.signal(signal.SIGUSR1, lambda number, _: arrived.append(number))
    done = threading.Event()

    def storm() -> None:
        while not done.wait(0.001):
            os.kill(os.getpid(), signal.SIGUSR1)

    storming = threading.Thread(target=storm)
    try:
        storming.start()
        for delay in (0.0005, 0.02, 0.05):
            due = loop.time() + delay
            loop.call_at(due, loop.stop)
            loop.run_forever()
            assert loop.time() >= due
    finally:
        done.set()
        storming.join()
        signal.signal(signal.SIGUSR1, former)
    assert arrived


@contextlib.contextmanager
def low_numbers_taken() -> Iterator[None]:
    """Whatever is opened here gets a number that select(2) cannot hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2048:
        pytest.skip(f"RLIMIT_NOFILE ends at {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2048), hard))
    taken = [os.open(os.devnull, os.O_RDONLY)]
    try:
        while taken[-1] < 1023:
            taken.append(os.dup(taken[0]))
        yield
    finally:
        for fd in taken:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Echo(asyncio.Protocol):
    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="FD_SETSIZE is 1024 on Linux")
class TestBeyondFdSetsize:
    """select refuses, and says what to do; nothing else suffers. The others know no such limit."""

    def test_add_reader_refuses_and_stores_nothing(self, loop: CountedLoop, pair: Pair) -> None:
        seen: list[str] = []
        loop.add_reader(pair[0], seen.append, "low")
        pair[1].send(b"x")
        with low_numbers_taken():
            ours, theirs = socket.socketpair()
            with ours, theirs:
                theirs.send(b"x")
                if loop.backend.name == "select":
                    with pytest.raises(ValueError, match=r"1024 \(FD_SETSIZE\); use another backend"):
                        loop.add_reader(ours, seen.append, "high")
                    assert not loop.remove_reader(ours)
                    turn(loop)
                    assert seen == ["low"]
                else:
                    loop.add_reader(ours, seen.append, "high")
                    turn(loop)
                    assert sorted(seen) == ["high", "low"]
                    assert loop.remove_reader(ours)
        assert loop.remove_reader(pair[0])

    def test_an_accepted_connection_is_closed_and_reported_once(self, loop: CountedLoop) -> None:
        contexts: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda _, context: contexts.append(context))
        refuses = loop.backend.name == "select"

        async def ask(client: socket.socket) -> bytes:
            client.setblocking(False)
            await loop.sock_connect(client, listener.getsockname())
            with contextlib.suppress(ConnectionError):
                await loop.sock_sendall(client, b"question")
                return await loop.sock_recv(client, 100)
            return b""

        async def main() -> None:
            async with await loop.create_server(Echo, sock=listener):
                with low_numbers_taken():
                    for client in clients[:2]:
                        assert await ask(client) == (b"" if refuses else b"question")
                assert await ask(clients[2]) == b"question"
                for client in clients:
                    client.close()

        listener = socket.create_server(("127.0.0.1", 0))
        clients = [socket.socket() for _ in range(3)]
        with listener:
            loop.run_until_complete(main())
        assert [type(context["exception"]) for context in contexts] == [ValueError] * 2 * refuses
        assert all("FD_SETSIZE" in str(context["exception"]) for context in contexts)

    def test_a_server_that_cannot_be_watched_leaves_nothing(self, loop: CountedLoop) -> None:
        low = socket.create_server(("127.0.0.1", 0))
        with low, low_numbers_taken():
            making = loop.create_server(Echo, "127.0.0.1", 0)
            if loop.backend.name == "select":
                with pytest.raises(ValueError, match="FD_SETSIZE"):
                    loop.run_until_complete(making)
                gc.collect()  # an unclosed socket would warn
            else:
                loop.run_until_complete(making).close()


def test_a_running_loop_cannot_be_closed_from_anywhere(loop: CountedLoop) -> None:
    """A selector closed while another thread waits in it is no state that the loop can get into."""
    errors: list[str] = []

    def close() -> None:
        try:
            loop.close()
        except RuntimeError as error:
            errors.append(str(error))
        loop.call_soon_threadsafe(loop.stop)

    closing = threading.Thread(target=close)
    loop.call_soon(closing.start)
    loop.run_forever()
    closing.join()
    assert errors == ["Cannot close a running event loop: stop() it first"]
    assert not loop.is_closed()
    goes_on(loop)
