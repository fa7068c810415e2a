"""MUXLOOP_DEBUG_SELECTOR=1: misuse of a selector is told, with the places, and nothing else changes."""

from __future__ import annotations

import logging
import os
import selectors
import socket
import threading
from collections.abc import Callable
from inspect import currentframe
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from muxloop.errors import SelectorClosedError
from muxloop.selectors_impl import ValidatingSelector, backends, open_selector

OURS = [backend.name for backend in backends() if backend.available and backend.source == "built in"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="sockets are no file descriptors there")
FOREIGN = [
    f"selectors:{name}"
    for name in ("SelectSelector", "PollSelector", "EpollSelector", "KqueueSelector")
    if hasattr(selectors, name)
]

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", "1")


@pytest.fixture(params=[*OURS, *FOREIGN])
def selector(request: pytest.FixtureRequest):
    with open_selector(request.param) as selector:
        yield selector


class Scripted(selectors.SelectSelector):
    """A selector that takes anything, and answers what the test tells it to."""

    answer: object = []
    meanwhile: Callable[[], object] = staticmethod(lambda: None)

    def select(self, timeout: object = None) -> object:  # noqa: ARG002 - anything is taken
        self.meanwhile()
        return self.answer

    def fileno(self) -> int:
        return 0


class Reports:
    """What the validator told so far."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self._caplog = caplog

    def __call__(self) -> list[str]:
        """The reports since the last call."""
        told = [record.getMessage() for record in self._caplog.records if record.name == "muxloop.selector"]
        assert all(record.levelno == logging.WARNING for record in self._caplog.records)
        self._caplog.clear()
        return told


@pytest.fixture
def reports(caplog: pytest.LogCaptureFixture) -> Reports:
    return Reports(caplog)


def here(offset: int = 0) -> str:
    """The caller's place as a report names it, *offset* lines further."""
    frame = currentframe().f_back
    return f"{__file__}:{frame.f_lineno + offset} in {frame.f_code.co_qualname}"


def refused(kind: type[Exception] | tuple[type[Exception], ...], call: Callable[[], object]) -> str:
    """The notes of the error that a call raises."""
    with pytest.raises(kind) as caught:
        call()
    return "\n".join(getattr(caught.value, "__notes__", []))


class TestRefusals:
    def test_a_second_registration_names_the_first(self, selector, pair: Pair, reports: Reports) -> None:
        selector.register(pair[0], EVENT_READ, "the reader"), (place := here())
        notes = refused(KeyError, lambda: selector.register(pair[0], EVENT_WRITE))
        fd = pair[0].fileno()
        assert notes == f"Descriptor {fd} was registered at {place} for reading, data 'the reader'."
        selector.unregister(pair[0])
        assert reports() == []

    @POSIX
    def test_a_second_registration_of_a_reused_number_says_so(self, selector, pair: Pair) -> None:
        fd = os.dup(pair[0].fileno())
        selector.register(fd, EVENT_READ), (place := here())
        os.dup2(pair[1].fileno(), fd)
        notes = refused(KeyError, lambda: selector.register(fd, EVENT_READ))
        assert place in notes
        assert "That file was closed since: unregister a file before closing it." in notes
        os.close(fd)

    @POSIX
    def test_what_the_kernel_refuses_says_that_the_file_was_closed(self, pair: Pair) -> None:
        with open_selector("select") as selector:
            fd = os.dup(pair[0].fileno())
            selector.register(fd, EVENT_READ), (place := here())
            os.close(fd)
            notes = refused(OSError, lambda: selector.modify(fd, EVENT_WRITE))
            assert place in notes
            assert "That file was closed since" in notes

    @pytest.mark.parametrize("call", ["unregister", "modify", "get_key"])
    def test_what_was_given_up_names_the_place(self, selector, pair: Pair, call: str) -> None:
        arguments = (EVENT_READ,) if call == "modify" else ()
        assert refused(KeyError, lambda: getattr(selector, call)(pair[0], *arguments)) == ""
        selector.register(pair[0], EVENT_READ)
        selector.unregister(pair[0]), (place := here())
        notes = refused(KeyError, lambda: getattr(selector, call)(pair[0], *arguments))
        assert notes == f"Descriptor {pair[0].fileno()} was unregistered at {place}."

    def test_what_is_refused_anyway_is_refused_alike(self, selector, pair: Pair, reports: Reports) -> None:
        for call in (
            lambda: selector.register(-1, EVENT_READ),
            lambda: selector.register(object(), EVENT_READ),
            lambda: selector.register(pair[0], 0),
            lambda: selector.register(pair[0], 8),
        ):
            assert refused(ValueError, call) == ""
        refused(TypeError, lambda: selector.register(pair[0], "r"))
        refused(TypeError, lambda: selector.select("soon"))
        assert len(selector.get_map()) == 0
        assert reports() == []

    def test_use_after_close_names_the_place_of_the_close(self, pair: Pair) -> None:
        selector = open_selector("select")
        selector.close(), (place := here())
        selector.close()
        for call in (
            lambda: selector.register(pair[0], EVENT_READ),
            lambda: selector.modify(pair[0], EVENT_READ),
            lambda: selector.unregister(pair[0]),
            lambda: selector.get_key(pair[0]),
            lambda: selector.select(0),
            selector.get_map,
        ):
            assert refused(SelectorClosedError, call) == f"The selector was closed at {place}."
        assert selector.closed

    def test_use_after_close_that_the_selector_lets_pass_is_reported(
        self, pair: Pair, reports: Reports
    ) -> None:
        selector = open_selector("selectors:SelectSelector")
        selector.close(), (place := here())
        selector.register(pair[0], EVENT_READ)
        (told,) = reports()
        assert told.startswith(
            f"SelectSelector.register: let pass after close; closed at {place}; noticed at"
        )


class TestReports:
    @POSIX
    def test_a_file_closed_while_registered_is_told_once(
        self, selector, pair: Pair, reports: Reports
    ) -> None:
        fd = os.dup(pair[0].fileno())
        selector.register(fd, EVENT_READ, "left"), (place := here())
        selector.register(pair[1], EVENT_READ)
        os.close(fd)
        for _ in range(3):
            try:
                selector.select(0)
            except OSError:  # select of the standard library
                continue
        (told,) = reports()
        assert (
            f"descriptor {fd} was closed while it was registered at {place} for reading, data 'left'" in told
        )
        selector.unregister(pair[1])

    @POSIX
    def test_a_number_that_became_another_file_s_is_told_once(
        self, selector, pair: Pair, reports: Reports
    ) -> None:
        fd = os.dup(pair[0].fileno())
        selector.register(fd, EVENT_READ), (place := here())
        os.dup2(pair[1].fileno(), fd)
        selector.select(0)
        selector.select(0)
        (told,) = reports()
        assert f"descriptor {fd} has become another file's while it was registered at {place}" in told
        selector.unregister(fd)
        os.close(fd)
        assert reports() == []

    @POSIX
    def test_a_file_closed_before_it_is_unregistered_is_told_without_a_wait(
        self, selector, pair: Pair, reports: Reports
    ) -> None:
        fd = os.dup(pair[0].fileno())
        selector.register(fd, EVENT_READ), (place := here())
        os.close(fd)
        selector.unregister(fd)
        (told,) = reports()
        assert place in told

    @POSIX
    def test_what_is_modified_after_its_number_was_reused_is_the_new_file_from_then_on(
        self, pair: Pair, reports: Reports
    ) -> None:
        with open_selector("select") as selector:
            fd = os.dup(pair[0].fileno())
            selector.register(fd, EVENT_READ)
            os.dup2(pair[1].fileno(), fd)
            selector.modify(fd, EVENT_WRITE)
            (told,) = reports()
            assert f"select.modify: descriptor {fd} has become another file's" in told
            selector.select(0)
            assert reports() == []
            os.close(fd)
            selector.select(0)
            (told,) = reports()
            assert f"select.select: descriptor {fd} was closed while it was registered" in told

    def test_what_is_left_at_close_is_listed(self, selector, pair: Pair, reports: Reports) -> None:
        places = []
        for end, events in zip(pair, (EVENT_READ, EVENT_READ | EVENT_WRITE), strict=True):
            selector.register(end, events, "left"), places.append(here())
        selector.close(), (closed := here())
        (told,) = reports()
        assert "close: still registered: descriptor" in told
        assert told.endswith(f"noticed at {closed}")
        for end, place, direction in zip(pair, places, ("reading", "reading and writing"), strict=True):
            assert f"{end.fileno()}, registered at {place} for {direction}, data 'left'" in told
        selector.close()
        assert reports() == []

    def test_use_by_another_thread_during_a_wait(self, pair: Pair, reports: Reports) -> None:
        inner = Scripted()
        selector = ValidatingSelector(inner)
        places = []

        def intrude() -> None:
            selector.register(pair[0], EVENT_READ), places.append(here())
            selector.unregister(pair[0]), places.append(here())
            selector.get_map()

        def meanwhile() -> None:
            thread = threading.Thread(target=intrude, name="intruder")
            thread.start()
            thread.join()

        inner.meanwhile = meanwhile
        for _ in range(2):
            selector.select(0)
        told = reports()
        waiter = threading.current_thread().name
        assert len(told) == 2  # each place once
        for message, place in zip(told, places, strict=False):
            assert f"called in thread 'intruder' while {waiter!r} waits in select" in message
            assert message.endswith(f"noticed at {place}")

    def test_threads_that_take_turns_are_not_blamed(self, selector, pair: Pair, reports: Reports) -> None:
        selector.register(pair[0], EVENT_READ)
        pair[1].send(b"x")
        thread = threading.Thread(target=selector.select)
        thread.start()
        thread.join()
        selector.select()
        selector.unregister(pair[0])
        assert reports() == []

    def test_a_wait_within_a_wait(self, reports: Reports) -> None:
        inner = Scripted()
        selector = ValidatingSelector(inner)

        def meanwhile() -> None:
            inner.meanwhile = lambda: None
            selector.select(0)

        inner.meanwhile = meanwhile
        selector.select(0)
        (told,) = reports()
        assert told.startswith("Scripted.select: called from within select: a wait does not nest")
        selector.select(0)
        assert reports() == []

    def test_what_the_same_thread_registers_during_a_wait_is_not_blamed(
        self, pair: Pair, reports: Reports
    ) -> None:
        """A greenlet may, while the hub runs in select, and so may a signal handler."""
        inner = Scripted()
        selector = ValidatingSelector(inner)
        inner.meanwhile = lambda: (selector.register(pair[0], EVENT_READ), selector.unregister(pair[0]))
        selector.select(0)
        assert reports() == []


class TestJudgingTheSelector:
    @pytest.fixture
    def inner(self) -> Scripted:
        return Scripted()

    @pytest.fixture
    def selector(self, inner: Scripted) -> ValidatingSelector:
        return ValidatingSelector(inner)

    def test_answers_that_nobody_asked_for(self, inner, selector, pair: Pair, reports: Reports) -> None:
        key = selector.register(pair[0], EVENT_READ, "data")
        stranger = key._replace(fd=key.fd + 1000)
        for answer, told in (
            ([(key, EVENT_WRITE)], f"reported descriptor {key.fd} for events=2, registered for 1"),
            ([(key, 0)], f"reported descriptor {key.fd} for events=0, registered for 1"),
            ([(key, 1), (key, 1)], f"reported descriptor {key.fd} twice"),
            ([(stranger, 1)], f"reported descriptor {stranger.fd}, which is not registered"),
            (
                [(key._replace(data="former"), 1)],
                f"reported descriptor {key.fd} with the data of an earlier registration",
            ),
            ([1], "returned [1], not a list of (key, events)"),
            (None, "returned None, not a list of (key, events)"),
        ):
            inner.answer = answer
            assert selector.select(0) is answer
            (message,) = reports()
            assert message.startswith(f"Scripted.select: {told}; noticed at")
        selector.unregister(pair[0])

    @pytest.mark.parametrize("timeout", [float("nan"), "soon"])
    def test_a_timeout_that_it_should_have_refused(self, selector, reports: Reports, timeout) -> None:
        selector.select(timeout)
        (told,) = reports()
        assert f"took the timeout {timeout!r}; give seconds, or None" in told

    def test_events_that_it_should_have_refused(self, selector, pair: Pair, reports: Reports) -> None:
        selector.register(pair[0], True)
        (told,) = reports()
        assert "took events=True; write EVENT_READ, EVENT_WRITE, or both with |" in told
        selector.unregister(pair[0])

    @POSIX
    def test_a_number_that_is_not_open(self, selector, pair: Pair, reports: Reports) -> None:
        fd = os.dup(pair[0].fileno())
        os.close(fd)
        selector.register(fd, EVENT_READ)
        (told,) = reports()
        assert f"took {fd}, which is no open file" in told
        selector.unregister(fd)

    def test_the_same_fault_at_the_same_place_is_told_once(self, inner, selector, reports: Reports) -> None:
        inner.answer = None
        for _ in range(5):
            selector.select(0)
        assert len(reports()) == 1

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_child_that_shares_the_kernel_s_object(self, selector, pair: Pair) -> None:
        """A selector with `fileno()` has an object in the kernel."""
        receive, send = os.pipe()
        child = os.fork()
        if not child:
            handler = logging.StreamHandler(os.fdopen(send, "w"))
            logging.getLogger("muxloop.selector").handlers = [handler]
            selector.register(pair[0], EVENT_READ)
            selector.close()
            handler.flush()
            os._exit(0)
        os.close(send)
        with os.fdopen(receive) as told:
            assert "Scripted.register: called in a process forked from the one that opened" in told.read()
        os.waitpid(child, 0)
