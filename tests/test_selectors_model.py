"""Any sequence of calls and socket actions, on every backend at once, against a model (SEL-07, gh-110038)."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from muxloop.selectors_impl import Selector
from selectors_under_test import CLASSES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there")

PAIRS = 3


def meaning(bits: int, mechanism: str) -> int:
    """The events that the bits of poll(2) stand for; select(2) has no hang-up for writers."""
    readable = bits & (select.POLLIN | select.POLLHUP | select.POLLERR)
    writable = bits & (select.POLLOUT | select.POLLERR | (0 if mechanism == "select" else select.POLLHUP))
    return (EVENT_READ if readable else 0) | (EVENT_WRITE if writable else 0)


masks = st.sampled_from([EVENT_READ, EVENT_WRITE, EVENT_READ | EVENT_WRITE])
slots = st.integers(0, 2 * PAIRS - 1)


class SelectorsAgree(RuleBasedStateMachine):
    """Sockets in slots; a slot keeps its number while the file behind it changes.

    What a file is ready for is asked of each file alone, with a fresh duplicate that no selector
    has seen.  A number whose file was replaced is unregistered before anything is reported: what
    happens otherwise differs between mechanisms, and ``test_selectors_lost_files`` has its rules.
    """

    @initialize()
    def open_all(self) -> None:
        self.selectors: list[Selector] = [cls() for cls in CLASSES.values() if cls.probe() is None]
        self.registered: dict[int, tuple[int, Any]] = {}
        self.spare: list[int] = []
        self.numbers: list[int] = []
        for _ in range(PAIRS):
            self.numbers += self._new_pair()

    def _new_pair(self) -> tuple[int, int]:
        ours, theirs = socket.socketpair()
        for sock in (ours, theirs):
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        return ours.detach(), theirs.detach()

    @rule(slot=slots, events=masks, data=st.integers(0, 3))
    def register(self, slot: int, events: int, data: int) -> None:
        for selector in self.selectors:
            if slot in self.registered:
                with pytest.raises(KeyError):
                    selector.register(self.numbers[slot], events, data)
            else:
                selector.register(self.numbers[slot], events, data)
        self.registered.setdefault(slot, (events, data))

    @rule(slot=slots, events=masks, data=st.integers(0, 3))
    def modify(self, slot: int, events: int, data: int) -> None:
        for selector in self.selectors:
            if slot in self.registered:
                selector.modify(self.numbers[slot], events, data)
            else:
                with pytest.raises(KeyError):
                    selector.modify(self.numbers[slot], events, data)
        if slot in self.registered:
            self.registered[slot] = (events, data)

    @rule(slot=slots)
    def unregister(self, slot: int) -> None:
        for selector in self.selectors:
            if slot in self.registered:
                selector.unregister(self.numbers[slot])
            else:
                with pytest.raises(KeyError):
                    selector.unregister(self.numbers[slot])
        self.registered.pop(slot, None)

    @rule(slot=slots, size=st.sampled_from([1, 100, 100_000]))
    def write(self, slot: int, size: int) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            os.write(self.numbers[slot], b"x" * size)

    @rule(slot=slots, size=st.sampled_from([1, 1_000_000]))
    def read(self, slot: int, size: int) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            os.read(self.numbers[slot], size)

    @rule(slot=slots, how=st.sampled_from([socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR]))
    def shut_down(self, slot: int, how: int) -> None:
        with socket.socket(fileno=os.dup(self.numbers[slot])) as sock, contextlib.suppress(OSError):
            sock.setblocking(False)  # PyPy's constructor has the file block, under all its numbers
            sock.shutdown(how)

    @rule(slot=slots, keep=st.booleans(), unregister_first=st.booleans())
    def replace_the_file(self, slot: int, keep: bool, unregister_first: bool) -> None:
        """Close the number and have it reused at once; with *keep*, the old file stays open elsewhere."""
        number = self.numbers[slot]
        if keep:
            self.spare.append(os.dup(number))
        if unregister_first and slot in self.registered:
            self.unregister(slot)
        new, peer = self._new_pair()
        os.dup2(new, number)
        os.close(new)
        self.spare.append(peer)
        if slot in self.registered:
            self.unregister(slot)

    @precondition(lambda self: self.spare)
    @rule(pick=st.randoms(use_true_random=False))
    def write_to_or_close_a_spare(self, pick: Any) -> None:
        fd = pick.choice(self.spare)
        with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
            os.write(fd, b"x")
        if pick.random() < 0.5:
            self.spare.remove(fd)
            os.close(fd)

    @invariant()
    def all_report_what_each_file_says_alone(self) -> None:
        bits = {slot: self._poll(self.numbers[slot]) for slot in self.registered}
        for selector in self.selectors:
            expected = {}
            for slot, (events, data) in self.registered.items():
                mask = meaning(bits[slot], selector.name) & events
                if mask:
                    expected[self.numbers[slot]] = (mask, data)
            reported = {key.fd: (mask, key.data) for key, mask in selector.select(0)}
            assert reported == expected, type(selector).__name__
            assert {key.fd: key[2:] for key in selector.get_map().values()} == {
                self.numbers[slot]: entry for slot, entry in self.registered.items()
            }
            assert selector.take_dropped() == []

    @staticmethod
    def _poll(fd: int) -> int:
        """What poll(2) says of a duplicate that exists only for this question."""
        copy = os.dup(fd)
        try:
            poller = select.poll()
            poller.register(copy, select.POLLIN | select.POLLOUT)
            return sum(bits for _, bits in poller.poll(0))
        finally:
            os.close(copy)

    def teardown(self) -> None:
        for selector in getattr(self, "selectors", ()):
            selector.close()
        for fd in [*getattr(self, "numbers", ()), *getattr(self, "spare", ())]:
            os.close(fd)


TestSelectorsAgree = SelectorsAgree.TestCase
TestSelectorsAgree.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
