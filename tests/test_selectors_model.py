"""Any sequence of calls and of what happens to files, on every backend at once (SEL-07, gh-110038).

The suite's own rules judge one selector at a time by programs that its model makes up; here all backends
watch the same files, and each must say exactly what its mechanism can.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from selectors import EVENT_READ, EVENT_WRITE
from typing import Any

import pytest
from forked_children import in_child
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from muxloop.conformance.file_kinds import KINDS
from muxloop.conformance.player.files import Client, End, Watchable, open_pair, take_number
from muxloop.conformance.player.sockets import FIRST_NUMBER
from muxloop.selectors_impl import Selector
from selectors_under_test import CLASSES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sockets are no file descriptors there")

SLOTS = 5
MOST_FORKS = 3
SETTLED_AFTER = 1000
"""So often are all asked again while a file's readiness changes by itself, as a connecting socket's does."""

READ, WRITE, BOTH = EVENT_READ, EVENT_WRITE, EVENT_READ | EVENT_WRITE


def meaning(bits: int, mechanism: str) -> int:
    """The events that the bits of poll(2) stand for; select(2) has no hang-up for writers."""
    readable = bits & (select.POLLIN | select.POLLHUP | select.POLLERR)
    writable = bits & (select.POLLOUT | select.POLLERR | (0 if mechanism == "select" else select.POLLHUP))
    return (READ if readable else 0) | (WRITE if writable else 0)


@dataclass
class File:
    """A file with its peer; a duplicate is one more, with the same peer."""

    kind: str
    ours: Watchable
    peer: End

    def take(self, slot: int) -> None:
        """Be the file of that slot, whose number stays the same whichever file has it."""
        self.ours = take_number(FIRST_NUMBER + slot, self.ours)

    def dup(self) -> File:
        return File(self.kind, self.ours.dup(), self.peer)

    def close(self) -> None:
        self.ours.close()
        self.peer.close()


def send_all(send: Callable[[bytes], int]) -> None:
    while send(b"x" * 65536):
        pass


def receive_all(recv: Callable[[int], bytes]) -> None:
    while recv(1 << 20):
        pass


TRAFFIC: dict[str, Callable[[File], object]] = {
    "send": lambda file: file.peer.send(b"x"),
    "recv": lambda file: file.ours.recv(64),
    "fill": lambda file: send_all(file.ours.send),
    "drain": lambda file: receive_all(file.peer.recv),
    "connect": lambda file: isinstance(file.ours, Client) and file.ours.connect_to_server(),
    "shutdown": lambda file: file.ours.shutdown(socket.SHUT_WR),
    "hangup": lambda file: file.peer.close(),
}

masks = st.sampled_from([READ, WRITE, BOTH])
slots = st.integers(0, SLOTS - 1)
kinds = st.sampled_from([kind.name for kind in KINDS.values() if kind.available])
traffic = st.sampled_from([*TRAFFIC, "send", "recv"])
datas = st.integers(0, 3)


class SelectorsAgree(RuleBasedStateMachine):
    """Files in slots; a slot keeps its number while the file behind it changes.

    What a file is ready for is asked of each file alone, with a fresh duplicate that no selector
    has seen.  A number whose file was replaced is unregistered before anything is reported: what
    happens otherwise differs between mechanisms, and ``test_selectors_lost_files`` has its rules.
    """

    @initialize(chosen=st.tuples(*[kinds] * SLOTS))
    def open_all(self, chosen: tuple[str, ...]) -> None:
        self.selectors: list[Selector] = [cls() for cls in CLASSES.values() if cls.probe() is None]
        self.registered: dict[int, tuple[int, Any]] = {}
        self.former: list[File] = []
        self.forks = 0
        self.files: list[File] = []
        for slot, kind in enumerate(chosen):
            self.files.append(File(kind, *open_pair(kind)))
            self.files[slot].take(slot)

    # -- the calls ---------------------------------------------------------------------------------------

    @rule(slot=slots, events=masks, data=datas)
    def register(self, slot: int, events: int, data: int) -> None:
        for selector in self.selectors:
            if slot in self.registered:
                with pytest.raises(KeyError):
                    selector.register(FIRST_NUMBER + slot, events, data)
            else:
                selector.register(FIRST_NUMBER + slot, events, data)
        self.registered.setdefault(slot, (events, data))

    @rule(slot=slots, events=masks, data=datas)
    def modify(self, slot: int, events: int, data: int) -> None:
        for selector in self.selectors:
            if slot in self.registered:
                selector.modify(FIRST_NUMBER + slot, events, data)
            else:
                with pytest.raises(KeyError):
                    selector.modify(FIRST_NUMBER + slot, events, data)
        if slot in self.registered:
            self.registered[slot] = (events, data)

    @rule(slot=slots)
    def unregister(self, slot: int) -> None:
        for selector in self.selectors:
            if slot in self.registered:
                selector.unregister(FIRST_NUMBER + slot)
            else:
                with pytest.raises(KeyError):
                    selector.unregister(FIRST_NUMBER + slot)
        self.registered.pop(slot, None)

    # -- what happens to the files -----------------------------------------------------------------------

    @rule(slot=slots, what=traffic)
    def use(self, slot: int, what: str) -> None:
        self._use(self.files[slot], what)

    @precondition(lambda self: self.former)
    @rule(which=st.integers(0, 99), what=traffic)
    def use_a_former(self, which: int, what: str) -> None:
        """A file that no selector watches any more, although one may know it still."""
        self._use(self.former[which % len(self.former)], what)

    @precondition(lambda self: self.former)
    @rule(which=st.integers(0, 99))
    def close_a_former(self, which: int) -> None:
        self.former.pop(which % len(self.former)).close()

    @staticmethod
    def _use(file: File, what: str) -> None:
        if what in KINDS[file.kind].takes:
            with contextlib.suppress(OSError):
                TRAFFIC[what](file)

    @rule(slot=slots, kind=kinds, keep=st.booleans(), unregister=st.sampled_from(["first", "closed", "last"]))
    def replace_the_file(self, slot: int, kind: str, keep: bool, unregister: str) -> None:
        """Give the number to a fresh file; with *keep*, the old one stays open under another."""
        self._replace(slot, File(kind, *open_pair(kind)), keep, unregister)

    @rule(slot=slots, by=slots, keep=st.booleans(), unregister=st.sampled_from(["first", "closed", "last"]))
    def replace_by_a_duplicate(self, slot: int, by: int, keep: bool, unregister: str) -> None:
        """Two numbers of one file, or the same number for the same file once more."""
        self._replace(slot, self.files[by].dup(), keep, unregister)

    def _replace(self, slot: int, new: File, keep: bool, unregister: str) -> None:
        old = self.files[slot]
        if keep:
            self.former.append(old.dup())
        elif all(file is old or file.peer is not old.peer for file in [*self.files, *self.former, new]):
            old.peer.close()
        if unregister == "first" and slot in self.registered:
            self.unregister(slot)
        if unregister == "closed":
            old.ours.close()
            if slot in self.registered:
                self.unregister(slot)
        old.ours.detach()
        new.take(slot)
        self.files[slot] = new
        if slot in self.registered:
            self.unregister(slot)

    # -- forks -------------------------------------------------------------------------------------------

    @precondition(lambda self: self.registered and self.forks < MOST_FORKS and hasattr(os, "fork"))
    @rule(call=st.sampled_from(["register", "modify", "unregister", "close"]), events=masks)
    def fork(self, call: str, events: int) -> None:
        """A child changes all its selectors; the invariant is asked of them, and of the parent's after it."""

        def live() -> None:
            if call == "close":
                for selector in self.selectors:
                    selector.close()
                return
            for slot in range(SLOTS):
                if call == "unregister":
                    self.unregister(slot)
                else:
                    (self.register if call == "register" else self.modify)(slot, events, 4)
            self.all_report_what_each_file_says_alone()

        self.forks += 1
        assert in_child(live) == 0

    # -- what they say -----------------------------------------------------------------------------------

    @invariant()
    def all_report_what_each_file_says_alone(self) -> None:
        for _ in range(SETTLED_AFTER):
            before = self._bits()
            told = {selector: selector.select(0) for selector in self.selectors}
            if before == self._bits():
                break
        else:
            pytest.fail(f"{[file.kind for file in self.files]} never come to rest")
        for selector, reported in told.items():
            expected = {}
            for slot, (events, data) in self.registered.items():
                mask = meaning(before[slot], selector.name) & events
                if mask:
                    expected[FIRST_NUMBER + slot] = (mask, data)
            said = {key.fd: (mask, key.data) for key, mask in reported}
            assert said == expected, f"{type(selector).__name__} of {[file.kind for file in self.files]}"
            assert {key.fd: key[2:] for key in selector.get_map().values()} == {
                FIRST_NUMBER + slot: entry for slot, entry in self.registered.items()
            }
            assert selector.take_dropped() == []

    def _bits(self) -> dict[int, int]:
        """What poll(2) says of each registered file, by a duplicate that exists only for this question."""
        answers = {}
        for slot in self.registered:
            copy = os.dup(FIRST_NUMBER + slot)
            poller = select.poll()
            poller.register(copy, select.POLLIN | select.POLLOUT)
            answers[slot] = sum(bits for _, bits in poller.poll(0))
            os.close(copy)
        return answers

    def teardown(self) -> None:
        for selector in getattr(self, "selectors", ()):
            selector.close()
        for file in [*getattr(self, "files", ()), *getattr(self, "former", ())]:
            file.close()


TestSelectorsAgree = SelectorsAgree.TestCase
TestSelectorsAgree.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
