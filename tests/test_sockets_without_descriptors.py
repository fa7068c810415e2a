"""Sockets whose numbers are no file descriptors, as on Windows: still told apart, and open from closed.

Elsewhere the branches that Windows takes are tried on POSIX sockets, where they do as well.
"""

from __future__ import annotations

import logging
import socket
import sys
import types
from collections.abc import Iterator
from selectors import EVENT_READ

import pytest
from loops_under_test import OURS, opened, turn
from muxloop import EventLoop
from muxloop.loop import wakeup
from muxloop.loop.readiness import BATCHES_PER_CHECK
from muxloop.selectors_impl import identity
from muxloop.selectors_impl.select import SelectSelector
from muxloop.selectors_impl.validator import ValidatingSelector
from numbered_sockets import close_number, give_number

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(autouse=True)
def as_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "win32":
        monkeypatch.setattr(identity, "sys", types.SimpleNamespace(platform="win32"))
        # The pairs of POSIX have no addresses; those of Windows are connected over the loopback.
        monkeypatch.setattr(socket, "socketpair", connected)
        monkeypatch.setattr(wakeup, "socketpair", connected)


def connected() -> Pair:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        return ours, listener.accept()[0]


@pytest.fixture
def tcp(as_on_windows: None) -> Iterator[Pair]:  # noqa: ARG001
    ours, theirs = connected()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture(params=OURS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_a_socket_is_not_taken_for_closed(loop: EventLoop, tcp: Pair) -> None:
    ours, theirs = tcp
    calls: list[int] = []
    theirs.send(b"x")
    loop.add_reader(ours.fileno(), calls.append, 1)
    turn(loop, 2 * BATCHES_PER_CHECK)
    assert len(calls) == 2 * BATCHES_PER_CHECK
    assert loop.remove_reader(ours.fileno())


def test_a_socket_that_is_bound_later_is_still_the_same(loop: EventLoop) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as ours:
        calls: list[int] = []
        loop.add_writer(ours.fileno(), calls.append, 1)
        turn(loop, BATCHES_PER_CHECK)
        ours.bind(("127.0.0.1", 0))
        turn(loop, BATCHES_PER_CHECK)
        assert len(calls) == 2 * BATCHES_PER_CHECK
        assert loop.remove_writer(ours.fileno())


def test_another_socket_behind_the_number_is_noticed(loop: EventLoop, tcp: Pair) -> None:
    former, its_peer = connected()
    number = former.detach()
    calls: list[str] = []
    loop.add_reader(number, calls.append, "former")
    give_number(tcp[0].fileno(), number)
    tcp[1].send(b"x")
    loop.add_writer(number, calls.append, "new")
    turn(loop)
    assert calls == ["new"]
    assert not loop.remove_reader(number)
    assert loop.remove_writer(number)
    close_number(number)
    its_peer.close()


def test_the_validator_tells_closed_sockets_from_open_ones(
    tcp: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "muxloop.selector")
    unbound = socket.socket(type=socket.SOCK_DGRAM)
    number = tcp[0].detach()
    with ValidatingSelector(SelectSelector()) as selector, unbound:
        selector.register(unbound, EVENT_READ)
        selector.register(number, EVENT_READ)
        unbound.bind(("127.0.0.1", 0))
        selector.select(0)
        assert caplog.messages == []
        close_number(number)
        selector.select(0)
        assert len(caplog.messages) == 1
        assert f"descriptor {number} was closed" in caplog.messages[0]
        selector.unregister(unbound)
