"""The contract of a selector, the same tests over every backend (rules SEL-01 to SEL-05, SEL-08, SEL-09)."""

from __future__ import annotations

import contextlib
import math
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from muxloop.errors import SelectorClosedError
from muxloop.selectors_impl import INTERFACE_VERSION
from muxloop.selectors_impl.blank import BlankSelector
from muxloop.selectors_impl.interface import LONGEST_WAIT_S
from numbered_sockets import close_number, duplicate
from selectors_under_test import every_backend

NOT_OPEN = "no open socket" if sys.platform == "win32" else "Bad file descriptor"
BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge

pytestmark = every_backend


def ready(selector: selectors.BaseSelector, timeout: float | None = 0) -> dict[object, int]:
    """What select reports, by file object; each must occur once."""
    events = selector.select(timeout)
    assert len({key.fd for key, _ in events}) == len(events)
    return {key.fileobj: mask for key, mask in events}


def fill(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while True:
            sock.send(b"x" * 65536)


class TestBooks:
    def test_a_key_carries_what_was_registered(self, selector, pair):
        data = object()
        key = selector.register(pair[0], EVENT_READ, data)
        assert key == (pair[0], pair[0].fileno(), EVENT_READ, data)
        assert isinstance(key, selectors.SelectorKey)
        assert selector.get_key(pair[0]) is key
        assert selector.get_key(pair[0].fileno()) is key

    def test_registering_twice_is_a_key_error(self, selector, pair):
        selector.register(pair[0], EVENT_READ)
        with pytest.raises(KeyError, match="already registered"):
            selector.register(pair[0], EVENT_WRITE)
        with pytest.raises(KeyError, match="already registered"):
            selector.register(pair[0].fileno(), EVENT_READ)
        assert selector.get_key(pair[0]).events == EVENT_READ

    @pytest.mark.parametrize("call", ["unregister", "get_key", "modify"])
    def test_an_unknown_file_is_a_key_error(self, selector, pair, call):
        arguments = (EVENT_READ,) if call == "modify" else ()
        with pytest.raises(KeyError, match="not registered"):
            getattr(selector, call)(pair[0], *arguments)
        with pytest.raises(KeyError, match="not registered"):
            getattr(selector, call)(pair[0].fileno(), *arguments)

    @pytest.mark.parametrize("events", [0, 4, 7, 999999, -1])
    def test_other_events_are_a_value_error_and_change_nothing(self, selector, pair, events):
        with pytest.raises(ValueError, match="events="):
            selector.register(pair[0], events)
        assert len(selector.get_map()) == 0
        selector.register(pair[0], EVENT_WRITE, "kept")
        with pytest.raises(ValueError, match="events="):
            selector.modify(pair[0], events)
        assert selector.get_key(pair[0]).events == EVENT_WRITE
        assert ready(selector) == {pair[0]: EVENT_WRITE}

    @pytest.mark.parametrize(
        "fileobj", [-1, -10, None, "name", pytest.param(object(), id="object"), 2**31, 2**80], ids=repr
    )
    def test_what_is_no_file_is_a_value_error(self, selector, fileobj):
        with pytest.raises(ValueError, match=r"file descriptor"):
            selector.register(fileobj, EVENT_READ)
        assert len(selector.get_map()) == 0

    def test_a_closed_object_is_a_value_error(self, selector, pair):
        pair[0].close()
        with pytest.raises(ValueError, match="not an open file"):
            selector.register(pair[0], EVENT_READ)

    def test_a_number_that_is_not_open_is_ebadf_and_leaves_nothing(self, selector, pair):
        fd = duplicate(pair[0].fileno())
        close_number(fd)
        with pytest.raises(OSError, match=NOT_OPEN):
            selector.register(fd, EVENT_READ)
        assert len(selector.get_map()) == 0
        assert selector.select(0) == []

    def test_a_failed_modify_leaves_the_registration_as_it_was(self, selector, pair):
        fd = duplicate(pair[0].fileno())
        key = selector.register(fd, EVENT_READ, "data")
        close_number(fd)
        with pytest.raises(OSError, match=NOT_OPEN):
            selector.modify(fd, EVENT_WRITE, "other")
        assert selector.get_key(fd) is key
        assert selector.unregister(fd) is key

    def test_unregister_returns_the_last_key(self, selector, pair):
        selector.register(pair[0], EVENT_WRITE)
        key = selector.modify(pair[0], EVENT_WRITE, "new")
        assert selector.unregister(pair[0]) is key
        assert ready(selector) == {}

    def test_the_map_is_live(self, selector, pair):
        view = selector.get_map()
        assert (len(view), list(view), pair[0] in view) == (0, [], False)
        key = selector.register(pair[0], EVENT_READ)
        assert dict(view) == {pair[0].fileno(): key}
        assert view[pair[0]] is view[pair[0].fileno()] is view.get(pair[0]) is key
        selector.unregister(pair[0])
        assert pair[0] not in view
        assert view.get(pair[0], "none") == "none"

    def test_the_map_is_read_only(self, selector, pair):
        selector.register(pair[0], EVENT_READ)
        with pytest.raises(TypeError):
            selector.get_map()[pair[0]] = None
        with pytest.raises(TypeError):
            del selector.get_map()[pair[0]]

    def test_the_class_says_what_it_is(self, backend):
        assert issubclass(backend, selectors.BaseSelector)
        assert backend.name in {"epoll", "kqueue", "poll", "select", "uring"}
        assert backend.interface_version == INTERFACE_VERSION
        with backend() as selector:
            assert 0 < selector.resolution <= 1e-3
        assert backend.probe() is None


class TestReadiness:
    def test_each_direction_is_reported_where_it_was_asked_for(self, selector, pair):
        ours, theirs = pair
        theirs.send(b"x")
        for events in (EVENT_READ, EVENT_WRITE, BOTH):
            selector.register(ours, events)
            assert ready(selector) == {ours: events}
            selector.unregister(ours)

    def test_readiness_is_a_level(self, selector, pair):
        ours, theirs = pair
        selector.register(ours, EVENT_READ)
        theirs.send(b"xy")
        assert ready(selector, LONG_S) == ready(selector, LONG_S) == {ours: EVENT_READ}
        ours.recv(1)
        assert ready(selector, LONG_S) == {ours: EVENT_READ}
        ours.recv(1)
        assert ready(selector) == {}

    def test_modify_moves_from_one_direction_to_the_other(self, selector, pair):
        ours, theirs = pair
        theirs.send(b"x")
        selector.register(ours, EVENT_READ)
        for events in (EVENT_WRITE, BOTH, EVENT_READ, BOTH, EVENT_WRITE):
            assert selector.modify(ours, events).events == events
            assert ready(selector) == {ours: events}

    def test_a_full_socket_is_not_writable_until_it_is_read(self, selector, pair):
        ours, theirs = pair
        fill(ours)
        selector.register(ours, BOTH)
        assert ready(selector) == {}
        with contextlib.suppress(BlockingIOError):
            while True:
                theirs.recv(1 << 20)
        assert ready(selector, LONG_S) == {ours: EVENT_WRITE}

    def test_end_of_file_is_readable_and_data_comes_first(self, selector, pair):
        ours, theirs = pair
        theirs.send(b"last")
        theirs.close()
        selector.register(ours, EVENT_READ)
        assert ready(selector, LONG_S) == {ours: EVENT_READ}
        assert ours.recv(100) == b"last"
        assert ready(selector, LONG_S) == {ours: EVENT_READ}
        assert ours.recv(100) == b""

    def test_a_half_closed_peer_is_not_a_hang_up_of_the_writer(self, selector, pair):
        ours, theirs = pair
        theirs.shutdown(socket.SHUT_WR)
        fill(ours)
        selector.register(ours, BOTH)
        assert ready(selector) == {ours: EVENT_READ}

    @pytest.mark.parametrize("events", [EVENT_READ, EVENT_WRITE, BOTH])
    def test_a_hang_up_wakes_whoever_is_registered(self, selector, pair, events):
        ours, theirs = pair
        fill(ours)
        selector.register(ours, events)
        theirs.close()
        assert ready(selector, LONG_S) == {ours: events}

    @pytest.mark.skipif(sys.platform == "win32", reason="no pipes in select")
    def test_a_pipe_without_reader_is_writable_and_without_writer_readable(self, selector):
        for dead_end, events in ((0, EVENT_WRITE), (1, EVENT_READ)):
            ends = os.pipe()
            selector.register(ends[1 - dead_end], events)
            os.close(ends[dead_end])
            assert ready(selector, LONG_S) == {ends[1 - dead_end]: events}
            selector.unregister(ends[1 - dead_end])
            os.close(ends[1 - dead_end])

    @pytest.mark.skipif(sys.platform == "win32", reason="no pipes in select")
    def test_a_pipe_whose_reader_is_gone_already_can_be_registered(self, selector, pair):
        reader, writer = os.pipe()
        os.close(reader)
        selector.register(writer, EVENT_WRITE)
        selector.register(pair[0], EVENT_WRITE)
        assert ready(selector, LONG_S) == {writer: EVENT_WRITE, pair[0]: EVENT_WRITE}
        with pytest.raises(BrokenPipeError):
            os.write(writer, b"x")
        selector.modify(writer, BOTH)
        assert ready(selector, LONG_S)[writer] & EVENT_WRITE
        selector.unregister(writer)
        assert ready(selector, LONG_S) == {pair[0]: EVENT_WRITE}
        os.close(writer)

    def test_a_refused_connection_reaches_the_writer(self, selector):
        with socket.socket() as nobody, socket.socket() as sock:
            nobody.bind(("127.0.0.1", 0))
            sock.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionRefusedError):
                sock.connect(nobody.getsockname())
            selector.register(sock, EVENT_WRITE)
            assert ready(selector, LONG_S) == {sock: EVENT_WRITE}

    def test_a_listener_is_readable_when_somebody_connects(self, selector):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            selector.register(listener, EVENT_READ)
            assert ready(selector) == {}
            with socket.create_connection(listener.getsockname()):
                assert ready(selector, LONG_S) == {listener: EVENT_READ}

    @pytest.mark.skipif(sys.platform == "win32", reason="no files in select")
    @pytest.mark.parametrize("path", ["/dev/null", ".", __file__])
    def test_files_that_never_block_are_always_ready(self, selector, pair, path):
        selector.register(pair[0], EVENT_READ)
        fd = os.open(path, os.O_RDONLY)
        try:
            selector.register(fd, EVENT_READ, "file")
            assert ready(selector, None) == ready(selector, LONG_S) == {fd: EVENT_READ}
            pair[1].send(b"x")
            assert ready(selector) == {fd: EVENT_READ, pair[0]: EVENT_READ}
            selector.modify(fd, BOTH)
            assert ready(selector)[fd] == BOTH
            selector.modify(fd, EVENT_WRITE)
            assert ready(selector)[fd] == EVENT_WRITE
            assert selector.unregister(fd).fd == fd
            assert ready(selector) == {pair[0]: EVENT_READ}
        finally:
            os.close(fd)

    def test_every_ready_file_is_in_the_list(self, selector):
        """bpo-23009 and gh-110038: room for one event per file is too little where a file has two."""
        pairs = [socket.socketpair() for _ in range(100)]
        try:
            for ours, theirs in pairs:
                theirs.send(b"x")
                selector.register(ours, BOTH)
            assert ready(selector) == {ours: BOTH for ours, _ in pairs}
        finally:
            for sock in sum(pairs, ()):
                sock.close()


class TestTime:
    @pytest.mark.parametrize("timeout", [0, -0.0, -1, -1e300, -math.inf])
    def test_zero_and_less_do_not_wait(self, selector, pair, timeout):
        selector.register(pair[0], EVENT_READ)
        assert selector.select(timeout) == []  # a wait without limit would not return

    @pytest.mark.parametrize("registered", [True, False], ids=["registered", "empty"])
    @pytest.mark.parametrize("timeout", [1e-9, 0.0004, 0.001, 0.0015, 0.01, 0.0301])
    def test_a_timeout_is_waited_out(self, selector, pair, timeout, registered):
        if registered:
            selector.register(pair[0], EVENT_READ)
        for _ in range(3):
            start = time.monotonic()
            assert selector.select(timeout) == []
            # The difference of two readings is exact to one resolution: 15.6 ms on Windows before 3.13.
            resolution = time.get_clock_info("monotonic").resolution
            assert time.monotonic() - start >= timeout - resolution

    @pytest.mark.parametrize("timeout", [None, LONGEST_WAIT_S, 1e9, 1e300, math.inf, 10**30], ids=repr)
    def test_long_waits_are_accepted_and_end_with_an_event(self, selector, pair, timeout):
        selector.register(pair[0], EVENT_READ)
        sender = threading.Timer(0.01, pair[1].send, [b"x"])
        sender.start()
        assert ready(selector, timeout) == {pair[0]: EVENT_READ}
        sender.join()

    def test_nan_is_a_value_error(self, selector):
        with pytest.raises(ValueError, match="NaN"):
            selector.select(math.nan)

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
    @pytest.mark.parametrize("registered", [True, False], ids=["registered", "empty"])
    def test_signals_do_not_cut_a_wait_short(self, selector, pair, registered):
        if registered:
            selector.register(pair[0], EVENT_READ)
        arrived = []
        before = signal.signal(signal.SIGALRM, lambda *_: arrived.append(time.monotonic()))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
            start = time.monotonic()
            assert selector.select(0.05) == []
            assert time.monotonic() - start >= 0.05
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert arrived

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no interval timers")
    @pytest.mark.parametrize("timeout", [None, LONG_S])
    def test_the_exception_of_a_signal_handler_passes_through(self, selector, pair, timeout):
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        selector.register(pair[0], EVENT_READ)
        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - a slow machine is interrupted before it waits
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                selector.select(timeout)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        pair[1].send(b"x")
        assert ready(selector, LONG_S) == {pair[0]: EVENT_READ}


class TestClosing:
    def test_a_closed_selector_refuses_every_call_in_the_same_words(self, backend, pair):
        selector = backend()
        selector.register(pair[0], EVENT_READ)
        view = selector.get_map()
        assert not selector.closed
        selector.close()
        selector.close()
        assert selector.closed
        calls = {
            "register": (pair[1], EVENT_READ),
            "unregister": (pair[0],),
            "modify": (pair[0], EVENT_READ),
            "get_key": (pair[0],),
            "get_map": (),
            "select": (0,),
        }
        if hasattr(selector, "fileno"):
            calls["fileno"] = ()
        for call, arguments in calls.items():
            with pytest.raises(SelectorClosedError) as caught:
                getattr(selector, call)(*arguments)
            assert str(caught.value) == f"{call}: this {backend.name} selector is closed; open a new one"
        assert (len(view), view.get(pair[0]), selector.take_dropped()) == (0, None, [])

    def test_the_files_stay_open(self, backend, pair):
        with backend() as selector:
            selector.register(pair[0], EVENT_READ)
        pair[1].send(b"x")
        assert pair[0].recv(1) == b"x"

    @pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc/self/fd")
    def test_no_descriptor_is_left(self, backend, pair):
        before = os.listdir("/proc/self/fd")
        for _ in range(5):
            with backend() as selector:
                selector.register(pair[0], BOTH)
                selector.select(0)
        assert os.listdir("/proc/self/fd") == before

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX")
    def test_its_own_descriptor_is_close_on_exec(self, selector):
        if not hasattr(selector, "fileno"):
            assert selector.name in {"poll", "select", "uring"}  # which offer none
            return
        assert not os.get_inheritable(selector.fileno())
        script = f"import os; os.fstat({selector.fileno()})"
        child = subprocess.run(
            [sys.executable, "-c", script], close_fds=False, capture_output=True, text=True, check=False
        )
        assert "Bad file descriptor" in child.stderr


def test_the_blank_form_has_every_member_in_the_order_of_its_siblings(backend):
    contract = [
        name for name, member in vars(BlankSelector).items() if callable(getattr(member, "__func__", member))
    ]
    ours = next(cls for cls in backend.__mro__ if cls.__module__.startswith("muxloop."))
    offered = [name for name in vars(ours) if name in contract]
    assert offered == [name for name in contract if name in offered]
    assert {"probe", "_add", "_change", "_remove", "select"} <= set(offered)
