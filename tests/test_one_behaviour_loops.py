"""What the loop does in the situations of docs/backends.md: the same on every backend."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import os
import socket
import sys
from collections.abc import Iterator

import pytest
from counted_loops import CountedLoop, counted
from loops_under_test import turn
from muxloop.loop.readiness import BATCHES_PER_CHECK
from numbered_sockets import Numbers, close_number, receive, send
from selectors_under_test import CLASSES, backends

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="select watches nothing but sockets there")

NO_LONGER_OPEN = (errno.EBADF, errno.ENOTSOCK)  # the latter on Windows

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(params=backends())
def loop(request: pytest.FixtureRequest) -> Iterator[CountedLoop]:
    yield from counted(request.param)


class Calls:
    """A callback that counts; at ``enough`` calls it stops the loop."""

    def __init__(self, loop: CountedLoop, enough: int = 1) -> None:
        self.loop = loop
        self.enough = enough
        self.count = 0

    def __call__(self, *_: object) -> None:
        self.count += 1
        if self.count >= self.enough:
            self.loop.stop()


@on_posix
@pytest.mark.parametrize("path", [os.devnull, ".", __file__])
@pytest.mark.parametrize("ending", ["removed", "closed"])
def test_a_file_that_never_blocks_calls_back_and_rests_when_nobody_asks(
    loop: CountedLoop, pair: Pair, path: str, ending: str
) -> None:
    fd = os.open(path, os.O_RDONLY)
    calls = Calls(loop, 5)
    other = Calls(loop)
    loop.add_reader(fd, calls)
    loop.run_forever()
    assert calls.count == 5
    # It starves nobody, neither timers nor other files.
    loop.add_reader(pair[0], other)
    loop.call_later(0.001, pair[1].send, b"x")
    calls.enough = 10**9
    loop.run_forever()
    assert other.count == 1
    loop.remove_reader(pair[0])
    if ending == "removed":
        loop.remove_reader(fd)
    os.close(fd)
    assert loop.rests()
    so_far = calls.count
    loop.run_for(0.001)
    assert calls.count == so_far


@on_posix
def test_dev_null_is_writable_as_well(loop: CountedLoop) -> None:
    fd = os.open(os.devnull, os.O_RDWR)
    reading, writing = Calls(loop, 3), Calls(loop, 3)
    loop.add_reader(fd, reading)
    loop.add_writer(fd, writing)
    loop.run_forever()
    assert reading.count == writing.count == 3
    assert loop.remove_reader(fd)
    loop.run_forever()
    assert (reading.count, writing.count) == (3, 4)
    assert loop.remove_writer(fd)
    os.close(fd)
    assert loop.rests()


def fill(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 65536)


@pytest.mark.parametrize("directions", [["reader"], ["writer"], ["reader", "writer"]], ids="+".join)
def test_a_hang_up_calls_whoever_waits_and_rests_once_heard(
    loop: CountedLoop, pair: Pair, directions: list[str]
) -> None:
    ours, theirs = pair
    fill(ours)
    seen: list[str] = []

    def heard(direction: str) -> None:
        seen.append(direction)
        assert getattr(loop, f"remove_{direction}")(ours)
        if len(seen) == len(directions):
            loop.stop()

    for direction in directions:
        getattr(loop, f"add_{direction}")(ours, heard, direction)
    turn(loop, 3)
    assert seen == []
    theirs.close()
    loop.run_forever()
    assert seen == directions
    assert loop.rests()


def test_a_refused_connection_reaches_the_writer_that_waits_for_it(loop: CountedLoop) -> None:
    with socket.socket() as nobody, socket.socket() as sock:
        nobody.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
            sock.connect(nobody.getsockname())
        loop.add_writer(sock, loop.stop)
        loop.run_forever()
        loop.remove_writer(sock)
        address = nobody.getsockname()
        with pytest.raises(ConnectionRefusedError):
            loop.run_until_complete(loop.create_connection(asyncio.Protocol, *address))


def test_after_a_half_close_the_other_half_goes_on(loop: CountedLoop, pair: Pair) -> None:
    ours, theirs = pair
    theirs.send(b"last")
    theirs.shutdown(socket.SHUT_WR)
    seen: list[bytes] = []

    def read() -> None:
        seen.append(ours.recv(100))
        if not seen[-1]:
            loop.remove_reader(ours)
            loop.add_writer(ours, write)

    def write() -> None:
        ours.send(b"answer")
        loop.remove_writer(ours)
        loop.stop()

    loop.add_reader(ours, read)
    loop.run_forever()
    assert seen == [b"last", b""]
    assert theirs.recv(100) == b"answer"
    assert loop.rests()


@on_posix
def test_a_pipe_without_reader_calls_its_writer(loop: CountedLoop) -> None:
    """kqueue answers EPIPE at registration where others report an event (mio 582)."""
    for gone_before in (True, False):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        with contextlib.suppress(BlockingIOError):
            while not gone_before:
                os.write(writer, b"x" * 65536)
        if gone_before:
            os.close(reader)
        calls = Calls(loop)
        loop.add_writer(writer, calls)
        if not gone_before:
            turn(loop, 3)
            assert calls.count == 0
            os.close(reader)
        loop.run_forever()
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"x")
        assert loop.remove_writer(writer)
        os.close(writer)


@pytest.mark.parametrize("ending", ["removed", "only closed"])
def test_one_file_under_two_numbers_is_watched_twice(
    loop: CountedLoop, numbers: Numbers, ending: str
) -> None:
    ours, theirs = numbers.pair()
    copy = numbers.dup(ours)
    first, second = Calls(loop, 10**9), Calls(loop, 10**9)
    loop.add_reader(ours, first)
    loop.add_reader(copy, second)
    send(theirs, b"x")
    turn(loop)
    assert first.count == second.count == 1
    if ending == "removed":
        assert loop.remove_reader(ours)
    numbers.close(ours)
    turn(loop, 50)
    assert second.count == 51  # the survivor misses nothing
    so_far = first.count
    assert so_far <= 1 + BATCHES_PER_CHECK  # and the closed one is found out
    turn(loop, 50)
    assert (first.count, second.count) == (so_far, 101)
    receive(copy)
    assert loop.rests()
    send(theirs, b"y")
    second.enough = 0
    loop.run_forever()
    assert first.count == so_far
    assert loop.remove_reader(copy)


def test_debug_mode_names_the_callback_whose_file_was_closed(
    loop: CountedLoop, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    """Also where the kernel forgets a closed file without a word."""

    def never_called() -> None: ...

    loop.set_debug(True)
    ours, theirs = socket.socketpair()
    loop.add_reader(pair[0], loop.stop)
    loop.add_reader(ours, never_called)
    loop.add_writer(theirs, int)
    fd = ours.detach()
    close_number(fd)
    loop.remove_writer(theirs)
    with caplog.at_level(logging.WARNING, "asyncio"), theirs:
        loop.run_for(0)
        loop.run_for(0)
    (warning,) = [record.getMessage() for record in caplog.records if record.name == "asyncio"]
    assert "never_called" in warning
    assert f"file descriptor {fd} " in warning
    assert not loop.remove_reader(fd)
    pair[1].send(b"x")
    loop.run_forever()  # the others are served


@pytest.mark.parametrize("duplicated", [False, True], ids=["plain", "duplicated"])
def test_a_wait_for_a_file_closed_underfoot_ends_with_an_error(
    loop: CountedLoop, pair: Pair, duplicated: bool
) -> None:
    """trio 1272: whoever waits for a closed file would wait for ever."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    loop.add_reader(pair[0], int)
    copy = ours.dup() if duplicated else theirs

    async def main() -> None:
        waiting = asyncio.ensure_future(loop.sock_recv(ours, 1))
        await asyncio.sleep(0)
        close_number(ours.fileno())
        if duplicated:
            theirs.send(b"x")
        while not waiting.done():  # it takes some waits, and no time
            await asyncio.sleep(1e-6)
        assert waiting.exception().errno in NO_LONGER_OPEN

    with theirs, copy:
        loop.run_until_complete(main())
    ours.detach()
    assert loop.rests()


@pytest.mark.parametrize("sends", ["nothing", "too much"])
def test_a_connection_closed_underfoot_is_lost_with_an_error(loop: CountedLoop, sends: str) -> None:
    contexts: list[object] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    ours, theirs = socket.socketpair()

    async def main() -> None:
        lost = loop.create_future()

        class Losing(asyncio.Protocol):
            def connection_lost(self, error: Exception | None) -> None:
                lost.set_result(error)

        transport, _ = await loop.create_connection(Losing, sock=ours)
        if sends == "too much":
            transport.write(b"x" * 10_000_000)
        close_number(ours.fileno())
        while not lost.done():
            await asyncio.sleep(1e-6)
        assert lost.result().errno in NO_LONGER_OPEN

    with theirs:
        loop.run_until_complete(main())
        loop.run_for(0)
    assert contexts == []
    assert ours.fileno() == -1
    assert loop.rests()


def test_an_event_of_a_batch_does_not_reach_the_next_owner_of_its_number(
    loop: CountedLoop, numbers: Numbers
) -> None:
    """libuv 826: both are ready, and the first to run gives the number of the other to a new file."""
    first, first_peer = numbers.pair()
    second, second_peer = numbers.pair()
    fresh, fresh_peer = numbers.pair()
    seen: list[str] = []

    def replace(mine: int, other: int) -> None:
        seen.append("replaced")
        receive(mine)
        assert loop.remove_reader(other)
        numbers.put(fresh, other)
        loop.add_reader(other, seen.append, "new owner")
        loop.add_writer(other, seen.append, "can write")

    loop.add_reader(first, replace, first, second)
    loop.add_reader(second, replace, second, first)
    send(first_peer, b"x")
    send(second_peer, b"x")
    turn(loop)
    assert seen == ["replaced"]
    turn(loop)
    assert seen == ["replaced", "can write"]
    send(fresh_peer, b"x")
    turn(loop)
    assert seen == ["replaced", "can write", "new owner", "can write"]


@pytest.mark.skipif(not hasattr(os, "eventfd"), reason="needs eventfd")
def test_a_reused_number_is_watched_even_when_old_and_new_look_alike(
    loop: CountedLoop, numbers: Numbers
) -> None:
    """Two eventfds have one device and inode; epoll forgot the first one when it was closed."""
    if loop.backend is CLASSES.get("kqueue-emulated"):
        pytest.skip("the emulated kqueue tells files apart by device and inode")
    first, second = os.eventfd(0), os.eventfd(0)
    number = numbers.dup(first)
    seen: list[str] = []
    loop.add_reader(number, seen.append, "former owner")
    turn(loop)
    os.close(first)
    numbers.put(second, number)
    loop.add_reader(number, seen.append, "new owner")
    os.eventfd_write(second, 1)
    turn(loop)
    assert seen == ["new owner"]
    assert loop.remove_reader(number)
    os.close(second)


def test_dead_files_among_many_cost_the_others_nothing(loop: CountedLoop, numbers: Numbers) -> None:
    pairs = [numbers.pair() for _ in range(40)]
    seen: list[int] = []
    for ours, _ in pairs:
        loop.add_reader(ours, seen.append, ours)
    turn(loop)
    numbers.close(*(ours for ours, _ in pairs[::2]))
    for _, theirs in pairs[1::2]:
        send(theirs, b"x")
    turn(loop)
    alive = {ours for ours, _ in pairs[1::2]}
    assert len(seen) == 20
    assert set(seen) == alive
    for fd in alive:
        receive(fd)
    assert loop.rests()


def test_many_ready_files_take_turns(loop: CountedLoop, numbers: Numbers) -> None:
    """bpo-23009: a batch that is too small, in an order that is always the same, starves the last ones."""
    files = [numbers.pair() for _ in range(80)]
    seen: list[int] = []
    for ours, theirs in files:
        loop.add_reader(ours, seen.append, ours)
        send(theirs, b"x")
    turn(loop, 5)
    everyone = {ours for ours, _ in files}
    rounds = [seen[start : start + 80] for start in range(0, 400, 80)]
    assert [set(served) for served in rounds] == [everyone] * 5


def test_a_pty_is_read_and_hangs_up(loop: CountedLoop) -> None:
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    seen: list[bytes] = []

    def read() -> None:
        try:
            seen.append(os.read(master, 100))
        except OSError:  # EIO on Linux, where others read the end
            seen.append(b"")
        if not seen[-1]:
            loop.remove_reader(master)
        loop.stop()

    loop.add_reader(master, read)
    os.write(slave, b"typed")
    loop.run_forever()
    os.close(slave)
    loop.run_forever()
    assert seen == [b"typed", b""]
    os.close(master)
    assert loop.rests()


def test_a_closed_file_is_found_out_among_many_that_are_ready(loop: CountedLoop, numbers: Numbers) -> None:
    """Of a large batch a few are looked at, in turn: every one has its turn."""
    ours, theirs = numbers.pair()
    copy = numbers.dup(ours)
    closed = Calls(loop, 10**9)
    loop.add_reader(ours, closed)
    send(theirs, b"x")
    others = []
    for _ in range(30):
        ready, sender = numbers.pair()
        send(sender, b"x")
        others.append(Calls(loop, 10**9))
        loop.add_reader(ready, others[-1])
    numbers.close(ours)
    turn(loop, 200)
    so_far = closed.count
    turn(loop, 50)
    assert closed.count == so_far < 200
    assert [calls.count for calls in others] == [250] * 30
    assert receive(copy) == b"x"
