"""Files that become ready, are closed underfoot, or get a reused number."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from loops_under_test import OURS, SELECTORS, opened, turn
from muxloop import EventLoop, VirtualClock
from numbered_sockets import close_number, duplicate, give_number

Pair = tuple[socket.socket, socket.socket]

SPINNING_S = 0.05
CALM = 20
"""Polls in that time of a loop that has nothing to do: one that spins makes hundreds on any machine."""
SPELLS = 20
"""So many of those times a loop may take to notice; it does so once it has waited in vain a hundred times."""


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.mark.parametrize("as_int", [True, False], ids=["int", "object"])
def test_adding_replaces_and_removing_tells(loop: EventLoop, pair: Pair, as_int: bool) -> None:
    ours, theirs = pair
    fd = ours.fileno() if as_int else ours
    seen: list[str] = []
    theirs.send(b"x")
    loop.add_reader(fd, seen.append, "replaced")
    loop.add_reader(fd, seen.append, "reader")
    loop.add_writer(fd, seen.append, "replaced")
    loop.add_writer(fd, seen.append, "writer")
    turn(loop)
    assert seen == ["reader", "writer"]
    assert loop.remove_reader(fd) is True
    turn(loop)
    assert seen == ["reader", "writer", "writer"]
    assert loop.remove_writer(fd) is True
    assert loop.remove_reader(fd) is False
    assert loop.remove_writer(fd) is False
    turn(loop)
    assert len(seen) == 3


def test_unread_data_is_reported_again(loop: EventLoop, pair: Pair) -> None:
    ours, theirs = pair
    seen: list[bytes] = []
    theirs.send(b"ab")
    loop.add_reader(ours, lambda: seen.append(ours.recv(1)))
    turn(loop, 3)
    assert seen == [b"a", b"b"]


def test_a_reader_removed_by_another_of_its_batch_does_not_run(loop: EventLoop, pair: Pair) -> None:
    ours, theirs = pair
    ours.send(b"x")
    theirs.send(b"x")
    seen: list[socket.socket] = []

    def first_wins(mine: socket.socket, other: socket.socket) -> None:
        seen.append(mine)
        assert loop.remove_reader(other)

    loop.add_reader(ours, first_wins, ours, theirs)
    loop.add_reader(theirs, first_wins, theirs, ours)
    turn(loop)
    assert len(seen) == 1


@pytest.mark.parametrize("bad", [-1, "x", None, object()])
def test_what_is_no_file_is_refused(loop: EventLoop, bad: object) -> None:
    with pytest.raises(ValueError, match="file descriptor"):
        loop.add_reader(bad, int)
    with pytest.raises(ValueError, match="file descriptor"):
        loop.add_writer(bad, int)


def test_a_closed_object_can_still_be_removed(loop: EventLoop, pair: Pair) -> None:
    ours, _ = pair
    loop.add_reader(ours, int)
    ours.close()
    assert loop.remove_reader(ours)
    with pytest.raises(ValueError, match="closed"):
        loop.remove_reader(ours)


def turns_within(loop: EventLoop, seconds: float) -> int:
    """How often the loop polls while it has nothing to do."""
    turns = 0
    poll = loop._poll

    def counting() -> None:
        nonlocal turns
        turns += 1
        poll()

    loop._poll = counting  # type: ignore[method-assign]
    loop.call_later(seconds, loop.stop)
    loop.run_forever()
    loop._poll = poll  # type: ignore[method-assign]
    return turns


def comes_to_rest(loop: EventLoop) -> bool:
    """Whether it stops polling for nothing, however few turns a busy machine gives it at a time."""
    calm = any(turns_within(loop, SPINNING_S) < CALM for _ in range(SPELLS))
    return calm and turns_within(loop, SPINNING_S) < CALM


@pytest.mark.parametrize("duplicated", [False, True], ids=["plain", "duplicated"])
@pytest.mark.parametrize("selector", [*OURS, "stdlib"])
def test_a_file_closed_underfoot_neither_kills_nor_starves_nor_spins(selector: str, duplicated: bool) -> None:
    for loop in opened(selector):
        ours, theirs = socket.socketpair()
        other, its_peer = socket.socketpair()
        with theirs, other, its_peer:
            theirs.send(b"x")
            fd = ours.detach()
            copy = duplicate(fd) if duplicated else None
            loop.add_reader(fd, int)
            turn(loop)
            close_number(fd)
            loop.add_reader(other, loop.stop)
            its_peer.send(b"x")
            loop.run_forever()
            loop.remove_reader(other)
            # Whatever the backend needs to find out, it has by now:
            turn(loop, 1000)
            assert comes_to_rest(loop)
            if copy is not None:
                close_number(copy)


@pytest.mark.parametrize("selector", SELECTORS)
def test_a_file_closed_before_it_was_removed_leaves_nothing_that_spins(selector: str) -> None:
    """In CPython's epoll selector the entry of a duplicated file can then not be removed by anybody."""
    for loop in opened(selector):
        ours, theirs = socket.socketpair()
        other, its_peer = socket.socketpair()
        with theirs, other, its_peer:
            loop.add_reader(other, loop.stop)
            fd = ours.detach()
            copy = duplicate(fd)
            loop.add_reader(fd, int)
            close_number(fd)
            assert loop.remove_reader(fd)
            theirs.send(b"x")
            assert comes_to_rest(loop)
            its_peer.send(b"x")
            loop.run_forever()
            assert loop.remove_reader(other)
            close_number(copy)


def test_a_reused_number_gets_nothing_of_its_former_owner(loop: EventLoop, pair: Pair) -> None:
    seen: list[str] = []
    ours, theirs = socket.socketpair()
    fd = ours.fileno()
    loop.add_reader(fd, seen.append, "former owner")
    turn(loop)
    theirs.close()
    ours.close()
    new, new_peer = pair
    give_number(new.fileno(), fd)
    new_peer.send(b"x")
    loop.add_reader(fd, seen.append, "new owner")
    turn(loop, 2)
    assert seen == ["new owner", "new owner"]
    assert loop.remove_reader(fd)
    close_number(fd)


def test_the_former_owner_s_writer_is_not_kept_by_a_new_reader(loop: EventLoop, pair: Pair) -> None:
    seen: list[str] = []
    ours, theirs = socket.socketpair()
    fd = ours.detach()
    loop.add_writer(fd, seen.append, "former owner")
    theirs.close()
    new, new_peer = pair
    give_number(new.fileno(), fd)
    new_peer.send(b"x")
    loop.add_reader(fd, seen.append, "new owner")
    turn(loop)
    assert seen == ["new owner"]
    loop.remove_reader(fd)
    close_number(fd)


def test_a_hang_up_wakes_and_does_not_spin_once_consumed(loop: EventLoop, pair: Pair) -> None:
    ours, theirs = pair
    seen: list[bytes] = []

    def read() -> None:
        seen.append(ours.recv(10))
        loop.remove_reader(ours)

    loop.add_reader(ours, read)
    theirs.close()
    turn(loop, 5)
    assert seen == [b""]


def test_a_foreign_selector_is_always_polled() -> None:
    for loop in opened("stdlib", VirtualClock()):
        polls = 0
        select = loop._selector.select

        def counting(timeout: float | None = None, select: object = select) -> object:
            nonlocal polls
            polls += 1
            return select(timeout)  # type: ignore[operator]

        loop._selector.select = counting  # type: ignore[method-assign, assignment]
        for _ in range(10):
            loop.call_soon(int)
            turn(loop)
        assert polls == 10
