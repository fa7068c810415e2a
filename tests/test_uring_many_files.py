"""More files than the rings of the uring backend hold: 256 requests, 4,096 completions."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from muxloop.selectors_impl.uring import UringSelector
from selectors_under_test import ready

pytestmark = pytest.mark.skipif(UringSelector.probe() is not None, reason=str(UringSelector.probe()))

BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge


@pytest.fixture
def selector() -> Iterator[UringSelector]:
    with UringSelector() as selector:
        yield selector


def drain(fd: int) -> None:
    with contextlib.suppress(BlockingIOError):
        while os.read(fd, 1 << 20):
            pass


@pytest.fixture
def pipes() -> Iterator[tuple[list[int], int]]:
    """Many numbers of one pipe's reading end, and its writing end."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    many = 20_000 if hard == resource.RLIM_INFINITY else min(20_000, hard - 200)
    copies = [os.dup(reader) for _ in range(many)]
    yield copies, writer
    for fd in (reader, writer, *copies):
        os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_all_are_armed_reported_and_let_go(selector, pipes):
    copies, writer = pipes
    for fd in copies:
        selector.register(fd, EVENT_READ)
    assert ready(selector) == {}
    os.write(writer, b"x")  # completes all at once
    drain(copies[0])
    assert ready(selector) == {}  # what found the ring full is history too
    os.write(writer, b"x")
    everyone = dict.fromkeys(copies, EVENT_READ)
    assert ready(selector, LONG_S) == everyone
    assert ready(selector) == everyone
    drain(copies[0])
    assert ready(selector) == {}
    for fd in copies[1:]:
        selector.unregister(fd)
    os.write(writer, b"x")
    assert ready(selector, LONG_S) == {copies[0]: EVENT_READ}


def test_many_removals_without_a_wait_between_them(selector, numbers, pipes):
    copies, _ = pipes
    other, peer = numbers.pair()
    selector.register(other, EVENT_READ)
    for _ in range(2):
        for fd in copies[:3000]:
            selector.register(fd, EVENT_READ)
        assert ready(selector) == {}
        for fd in copies[:3000]:
            selector.unregister(fd)
    os.write(peer, b"x")
    assert ready(selector, LONG_S) == {other: EVENT_READ}


def test_the_rings_go_round(selector, numbers):
    pairs = [numbers.pair() for _ in range(7)]
    for ours, _ in pairs:
        selector.register(ours, BOTH)
    for turn in range(1000):
        ours, theirs = pairs[turn % 7]
        os.write(theirs, b"x")
        assert ready(selector) == {fd: BOTH if fd == ours else EVENT_WRITE for fd, _ in pairs}
        os.read(ours, 1)
