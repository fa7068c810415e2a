"""What only the uring backend has to get right: an armed request holds its file, a completion is history."""

from __future__ import annotations

import contextlib
import gc
import os
import socket
import threading
from collections.abc import Callable, Iterator
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import pytest
from muxloop.errors import SelectorClosedError
from muxloop.selectors_impl.io_uring import SystemCalls
from muxloop.selectors_impl.uring import UringSelector
from numbered_sockets import Numbers
from selectors_under_test import ready

pytestmark = pytest.mark.skipif(UringSelector.probe() is not None, reason=str(UringSelector.probe()))

BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge


class WatchedCalls(SystemCalls):
    """The system calls, counted; whoever is about to wait says so."""

    def __init__(self) -> None:
        self.entered = 0
        self.waiting = threading.Semaphore(0)
        self.interrupt: Callable[[], object] = bool

    def io_uring_enter(
        self, fd: int, to_submit: int, min_complete: int, flags: int, argument: Any, size: Any
    ) -> int:
        self.entered += 1
        if min_complete:
            self.waiting.release()
            self.interrupt()
        return super().io_uring_enter(fd, to_submit, min_complete, flags, argument, size)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> WatchedCalls:
    calls = WatchedCalls()
    monkeypatch.setattr(UringSelector, "kernel", calls)
    return calls


@pytest.fixture
def selector(calls: WatchedCalls) -> Iterator[UringSelector]:  # noqa: ARG001 - first
    with UringSelector() as selector:
        yield selector


def fill(fd: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(fd, b"x" * 65536)


def drain(fd: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(fd, 1 << 20):
            pass


class TestHeldFiles:
    """A request that is armed keeps its file open, whatever happens to the number."""

    def test_the_peer_sees_the_end_at_once_after_unregister_and_close(self, selector, numbers):
        ours, theirs = numbers.pair()
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        selector.unregister(ours)
        numbers.close(ours)
        assert os.read(theirs, 1) == b""

    def test_so_it_does_when_only_a_change_had_been_made_since(self, selector, numbers):
        ours, theirs = numbers.pair()
        fill(ours)
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        selector.modify(ours, EVENT_WRITE)
        selector.unregister(ours)
        numbers.close(ours)
        drain(theirs)
        assert os.read(theirs, 1) == b""

    def test_so_it_does_after_the_selector_was_closed(self, selector, numbers):
        """What the kernel clears up after a ring, it clears up later."""
        pairs = [numbers.pair() for _ in range(300)]
        for ours, _ in pairs:
            selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        selector.close()
        for ours, theirs in pairs:
            numbers.close(ours)
            assert os.read(theirs, 1) == b""

    def test_a_file_closed_underfoot_is_dropped_when_it_is_ready(self, selector, numbers):
        ours, theirs = numbers.pair()
        key = selector.register(ours, EVENT_READ, "owner")
        assert ready(selector) == {}
        numbers.close(ours)
        os.write(theirs, b"x")
        assert ready(selector, None) == {}
        assert selector.take_dropped() == [key]
        assert dict(selector.get_map()) == {}
        with pytest.raises(ConnectionResetError):  # closed at last, with a byte unread
            os.read(theirs, 1)

    def test_a_file_closed_after_it_was_reported_is_dropped(self, selector, numbers):
        ours, theirs = numbers.pair()
        other, _ = numbers.pair()
        key = selector.register(ours, EVENT_READ)
        selector.register(other, EVENT_WRITE)
        os.write(theirs, b"x")
        assert ready(selector) == {ours: EVENT_READ, other: EVENT_WRITE}
        numbers.close(ours)
        assert ready(selector) == {other: EVENT_WRITE}
        assert selector.take_dropped() == [key]


class TestHistory:
    def test_what_was_read_since_it_completed_is_not_reported(self, selector, numbers):
        ours, theirs = numbers.pair()
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        os.write(theirs, b"x")
        assert os.read(ours, 1) == b"x"
        assert ready(selector) == {}
        os.write(theirs, b"y")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    def test_a_completion_says_what_holds_now_not_what_held_then(self, selector, numbers):
        ours, theirs = numbers.pair()
        fill(ours)
        selector.register(ours, BOTH)
        assert ready(selector) == {}
        os.write(theirs, b"x")
        drain(theirs)
        assert ready(selector) == {ours: BOTH}

    def test_a_former_registration_completes_for_nobody(self, selector, numbers):
        ours, theirs = numbers.pair()
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        os.write(theirs, b"x")
        selector.unregister(ours)
        os.read(ours, 1)
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        os.write(theirs, b"x")
        selector.modify(ours, EVENT_WRITE)
        assert ready(selector) == {ours: EVENT_WRITE}

    def test_what_a_thread_armed_is_reported_after_its_end(self, selector, numbers):
        ours, theirs = numbers.pair()
        selector.register(ours, EVENT_READ)
        thread = threading.Thread(target=selector.select, args=(0,))
        thread.start()
        thread.join()
        os.write(theirs, b"x")
        assert ready(selector, LONG_S) == {ours: EVENT_READ}

    def test_also_when_the_wait_has_begun(self, selector, numbers, calls):
        ours, theirs = numbers.pair()
        selector.register(ours, EVENT_READ)
        thread = threading.Thread(target=selector.select, args=(0,))
        thread.start()
        thread.join()

        def write() -> None:
            calls.waiting.acquire()
            os.write(theirs, b"x")

        writer = threading.Thread(target=write)
        writer.start()
        assert ready(selector, LONG_S) == {ours: EVENT_READ}
        writer.join()


class TestHalfHangUp:
    """The peer sends no more (EPOLLRDHUP), which completes each request of somebody who waits to write."""

    @pytest.fixture
    def stuck(self, numbers: Numbers, selector: UringSelector) -> tuple[int, int]:
        ours, theirs = numbers.pair()
        with socket.socket(fileno=os.dup(theirs)) as peer:
            peer.shutdown(socket.SHUT_WR)
            peer.setblocking(False)  # PyPy has set what the two numbers share to blocking
        fill(ours)
        selector.register(ours, EVENT_WRITE)
        return ours, theirs

    @pytest.mark.usefixtures("stuck")
    def test_a_writer_waits_without_spinning(self, selector, calls):
        before = calls.entered
        for _ in range(3):
            assert ready(selector, 0.05) == {}
        assert calls.entered - before < 20

    def test_the_writer_is_told_of_room_each_time(self, selector, stuck):
        ours, theirs = stuck
        for _ in range(3):
            assert ready(selector) == ready(selector, 0.001) == {}
            drain(theirs)
            assert ready(selector, LONG_S) == ready(selector) == {ours: EVENT_WRITE}
            fill(ours)

    def test_also_when_the_wait_has_begun(self, selector, stuck, calls):
        ours, theirs = stuck
        assert ready(selector) == ready(selector) == {}

        def read() -> None:
            calls.waiting.acquire()
            drain(theirs)

        reader = threading.Thread(target=read)
        reader.start()
        assert ready(selector, LONG_S) == {ours: EVENT_WRITE}
        reader.join()

    def test_it_lets_go_of_the_file(self, selector, stuck, numbers):
        ours, theirs = stuck
        assert ready(selector, 0.001) == {}
        selector.unregister(ours)
        numbers.close(ours)
        drain(theirs)
        assert os.read(theirs, 1) == b""

    def test_a_reader_gets_the_end_of_file_alone(self, selector, stuck):
        ours, _ = stuck
        selector.modify(ours, BOTH)
        assert ready(selector) == ready(selector) == {ours: EVENT_READ}


class TestCalls:
    """What is paid: one system call a turn."""

    def test_registrations_and_changes_go_down_with_the_wait(self, selector, numbers, calls):
        pairs = [numbers.pair() for _ in range(100)]
        for ours, _ in pairs:
            selector.register(ours, EVENT_READ)
            selector.modify(ours, EVENT_WRITE)
        calls.entered = 0
        assert len(ready(selector, LONG_S)) == 100
        assert calls.entered == 1

    def test_what_was_reported_needs_none_to_be_unregistered(self, selector, numbers, calls):
        ours, _ = numbers.pair()
        selector.register(ours, EVENT_WRITE)
        assert ready(selector) == {ours: EVENT_WRITE}
        calls.entered = 0
        selector.unregister(ours)
        selector.register(ours, EVENT_READ)
        selector.unregister(ours)
        assert calls.entered == 0

    def test_a_look_without_a_wait_needs_none_when_nothing_has_happened(self, selector, numbers, calls):
        ours, theirs = numbers.pair()
        selector.register(ours, EVENT_READ)
        assert ready(selector) == {}
        calls.entered = 0
        assert ready(selector) == {}
        assert calls.entered == 0
        os.write(theirs, b"x")
        assert ready(selector) == {ours: EVENT_READ}
        assert calls.entered == 1


class TestThreads:
    @pytest.mark.parametrize("registered", [True, False], ids=["registered", "empty"])
    @pytest.mark.parametrize("timeout", [None, LONG_S])
    def test_closing_ends_the_wait_of_another_thread(self, selector, numbers, calls, registered, timeout):
        if registered:
            selector.register(numbers.pair()[0], EVENT_READ)
        said = []

        def wait() -> None:
            with pytest.raises(SelectorClosedError) as caught:
                selector.select(timeout)
            said.append(str(caught.value))

        before = len(os.listdir("/proc/self/fd"))
        thread = threading.Thread(target=wait)
        thread.start()
        calls.waiting.acquire()
        selector.close()
        thread.join()
        assert said == ["select: this uring selector is closed; open a new one"]
        assert len(os.listdir("/proc/self/fd")) < before  # the last one out has freed the ring

    def test_what_another_thread_unregisters_during_a_wait_is_let_go_at_once(self, selector, numbers, calls):
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        selector.register(ours, EVENT_READ)
        selector.register(other, EVENT_READ)
        reported: list[dict[int, int]] = []
        thread = threading.Thread(target=lambda: reported.append(ready(selector, LONG_S)))
        thread.start()
        calls.waiting.acquire()
        selector.unregister(ours)
        numbers.close(ours)
        os.set_blocking(theirs, True)
        assert os.read(theirs, 1) == b""
        os.write(peer, b"x")
        thread.join()
        assert reported == [{other: EVENT_READ}]

    def test_others_register_and_unregister_during_waits(self, selector, numbers):
        """Nothing is lost, reported for nobody or left in the rings."""
        waker, wake = numbers.pair()
        selector.register(waker, EVENT_READ)
        stop = threading.Event()
        failures: list[BaseException] = []

        def wait() -> None:
            try:
                while not stop.is_set():
                    selector.select(LONG_S)
            except BaseException as error:
                failures.append(error)

        def change(pair: tuple[int, int]) -> None:
            try:
                ours, theirs = pair
                for _ in range(300):
                    selector.register(ours, EVENT_READ)
                    os.write(theirs, b"x")
                    selector.modify(ours, BOTH)
                    os.read(ours, 1)
                    selector.unregister(ours)
            except BaseException as error:
                failures.append(error)

        pairs = [numbers.pair() for _ in range(3)]
        waiting = threading.Thread(target=wait)
        changing = [threading.Thread(target=change, args=(pair,)) for pair in pairs]
        for thread in (waiting, *changing):
            thread.start()
        for thread in changing:
            thread.join()
        stop.set()
        os.write(wake, b"x")
        waiting.join()
        assert failures == []
        os.read(waker, 1)
        assert ready(selector) == {}
        for ours, theirs in pairs:
            selector.register(ours, EVENT_READ)
            os.write(theirs, b"x")
        assert ready(selector) == {ours: EVENT_READ for ours, _ in pairs}


def test_a_select_inside_of_a_select_is_refused(selector, numbers, calls):
    """It would take what the outer one, about to wait, has just looked for."""
    ours, theirs = numbers.pair()
    selector.register(ours, EVENT_READ)

    def interrupt() -> None:
        os.write(theirs, b"x")
        with pytest.raises(RuntimeError, match="interrupted"):
            selector.select(0)

    calls.interrupt = interrupt
    assert ready(selector, LONG_S) == {ours: EVENT_READ}


class TestDescriptors:
    def test_the_ring_is_closed_on_exec(self, selector):
        assert not selector.closed
        rings = []
        for name in os.listdir("/proc/self/fd"):
            with contextlib.suppress(FileNotFoundError):  # that of the listing itself
                if "io_uring" in os.readlink(f"/proc/self/fd/{name}"):
                    rings.append(int(name))
        assert rings
        assert not any(map(os.get_inheritable, rings))

    def test_a_selector_that_is_let_go_frees_what_it_has(self, calls):
        before = sorted(os.listdir("/proc/self/fd"))
        assert UringSelector().kernel is calls
        gc.collect()
        assert sorted(os.listdir("/proc/self/fd")) == before
