"""What runs next: the order of callbacks, I/O and timers, and what stops the loop."""

from __future__ import annotations

import asyncio
import contextvars
import socket
from collections.abc import Iterator

import pytest
from loops_under_test import SELECTORS, opened, turn
from muxloop import EventLoop, VirtualClock


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param, VirtualClock())


@pytest.fixture
def readable() -> Iterator[socket.socket]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"x")
        yield ours


def test_callbacks_run_in_the_order_they_were_queued(loop: EventLoop) -> None:
    seen: list[int] = []
    for number in range(100):
        loop.call_soon(seen.append, number)
    turn(loop)
    assert seen == list(range(100))


def test_what_a_callback_queues_waits_for_the_next_turn(loop: EventLoop) -> None:
    seen: list[str] = []
    loop.call_soon(lambda: loop.call_soon(seen.append, "later"))
    turn(loop)
    assert seen == []
    turn(loop)
    assert seen == ["later"]


def test_queued_before_files_before_timers(loop: EventLoop, readable: socket.socket) -> None:
    seen: list[str] = []
    loop.call_later(0, seen.append, "timer")
    loop.call_soon(seen.append, "queued")
    loop.add_reader(readable, seen.append, "reader")
    turn(loop)
    loop.remove_reader(readable)
    assert seen == ["queued", "reader", "timer"]


def test_reader_before_writer_of_one_file(loop: EventLoop, readable: socket.socket) -> None:
    seen: list[str] = []
    loop.add_writer(readable, seen.append, "writer")
    loop.add_reader(readable, seen.append, "reader")
    turn(loop)
    assert seen == ["reader", "writer"]


@pytest.mark.parametrize("again", ["call_soon", "zero timer"])
def test_callbacks_that_queue_themselves_starve_no_file(
    loop: EventLoop, readable: socket.socket, again: str
) -> None:
    turns = 0

    def repeat() -> None:
        nonlocal turns
        turns += 1
        if turns > 100:
            loop.stop()
        elif again == "call_soon":
            loop.call_soon(repeat)
        else:
            loop.call_later(0, repeat)

    loop.add_reader(readable, loop.stop)
    repeat()
    loop.run_forever()
    assert turns < 5


def test_a_stopped_loop_polls_once_runs_the_queue_and_returns(
    loop: EventLoop, readable: socket.socket
) -> None:
    seen: list[str] = []
    loop.add_reader(readable, seen.append, "reader")
    loop.call_soon(seen.append, "queued")
    loop.stop()
    loop.run_forever()
    assert seen == ["queued", "reader"]
    loop.call_soon(loop.stop)
    loop.run_forever()  # the next run is a normal one: it ends by the new stop()


def test_stop_finishes_the_batch_and_no_more(loop: EventLoop) -> None:
    seen: list[str] = []

    def stopping() -> None:
        loop.stop()
        loop.call_soon(seen.append, "queued after stop")

    loop.call_soon(stopping)
    loop.call_soon(seen.append, "same batch")
    loop.run_forever()
    assert seen == ["same batch"]
    turn(loop)
    assert seen == ["same batch", "queued after stop"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_leaves_the_rest_of_the_batch_queued_in_order(
    loop: EventLoop, error: type[BaseException]
) -> None:
    seen: list[str] = []

    def interrupt() -> None:
        loop.call_soon(seen.append, "queued by the interrupted one")
        raise error

    loop.call_soon(seen.append, "before")
    loop.call_soon(interrupt)
    loop.call_soon(seen.append, "after")
    loop.call_soon(seen.append, "last")
    with pytest.raises(error):
        loop.run_forever()
    assert seen == ["before"]
    assert not loop.is_running()
    turn(loop)
    assert seen == ["before", "after", "last", "queued by the interrupted one"]


def test_stop_in_the_rest_of_an_interrupted_batch_ends_the_run_with_it(loop: EventLoop) -> None:
    seen: list[str] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    def stopping() -> None:
        loop.stop()
        loop.call_soon(seen.append, "queued after stop")

    loop.call_soon(interrupt)
    loop.call_soon(stopping)
    loop.call_soon(seen.append, "same batch")
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    loop.run_forever()
    assert seen == ["same batch"]


def test_an_interrupt_does_not_let_a_ready_file_be_dispatched_twice(
    loop: EventLoop, readable: socket.socket
) -> None:
    received: list[bytes] = []

    def interrupt() -> None:
        raise KeyboardInterrupt

    loop.call_soon(interrupt)
    loop.add_reader(readable, lambda: received.append(readable.recv(1)))
    readable.setblocking(False)
    with pytest.raises(KeyboardInterrupt):
        loop.run_forever()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    turn(loop, 3)
    assert received == [b"x"]
    assert not failures


def test_every_scheduling_call_keeps_the_context(loop: EventLoop, readable: socket.socket) -> None:
    variable = contextvars.ContextVar("variable", default="none")
    seen: dict[str, str] = {}

    def note(name: str) -> None:
        seen[name] = variable.get()
        if name == "add_reader":
            loop.remove_reader(readable)

    def schedule() -> None:
        variable.set("current")
        loop.call_soon(note, "call_soon")
        loop.call_soon_threadsafe(note, "call_soon_threadsafe")
        loop.call_later(0, note, "call_later")
        loop.call_at(loop.time(), note, "call_at")
        loop.add_reader(readable, note, "add_reader")

    contextvars.copy_context().run(schedule)
    given = contextvars.copy_context()
    given.run(variable.set, "given")
    loop.call_soon(note, "given to call_soon", context=given)
    loop.call_soon_threadsafe(note, "given to call_soon_threadsafe", context=given)
    loop.call_later(0, note, "given to call_later", context=given)
    loop.call_at(0, note, "given to call_at", context=given)
    turn(loop, 2)
    assert len(seen) == 9
    assert seen == {name: "given" if name.startswith("given") else "current" for name in seen}


def test_a_handle_cancelled_by_an_earlier_callback_of_its_batch_does_not_run(loop: EventLoop) -> None:
    seen: list[str] = []
    doomed: list[asyncio.Handle] = []
    loop.call_soon(lambda: [handle.cancel() for handle in doomed])
    handle = loop.call_soon(seen.append, "cancelled")
    doomed.append(handle)
    timer = loop.call_later(0, seen.append, "cancelled timer")
    loop.call_soon(timer.cancel)
    turn(loop)
    assert seen == []
    assert handle.cancelled()
    handle.cancel()
    assert handle.cancelled()
