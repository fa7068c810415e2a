"""A signal handler that raises, or uses the selector, at every place of uring where one can run."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from interruptions import at_every_place, interrupted
from muxloop.errors import SelectorClosedError
from muxloop.selectors_impl.uring import UringSelector
from numbered_sockets import Numbers
from selectors_under_test import ready

pytestmark = [
    pytest.mark.skipif(UringSelector.probe() is not None, reason=str(UringSelector.probe())),
    pytest.mark.skipif(sys.implementation.name != "cpython", reason="goes by CPython's instructions"),
]

BOTH = EVENT_READ | EVENT_WRITE
FILES = {"uring.py", "io_uring.py"}


class Interruption(Exception):  # noqa: N818 - as KeyboardInterrupt is none
    """What a signal handler raises."""


class TestRaising:
    def test_a_wait_loses_nothing(self, numbers):
        """Whatever was ready, queued or completing is reported by the next wait, once each."""
        ours, theirs = numbers.pair()
        other, peer = numbers.pair()
        third, _ = numbers.pair()

        def interrupt() -> None:
            raise Interruption

        def scene(place: int) -> bool:
            with UringSelector() as selector:
                selector.register(ours, EVENT_READ)
                selector.register(third, EVENT_WRITE)
                assert ready(selector) == {third: EVENT_WRITE}
                os.write(theirs, b"x")  # completes at once
                selector.register(other, BOTH)
                selector.modify(third, BOTH)
                try:
                    happened = interrupted(FILES, lambda: selector.select(60), place, interrupt)
                except Interruption:
                    happened = True
                os.write(peer, b"x")
                everyone = {ours: EVENT_READ, other: BOTH, third: EVENT_WRITE}
                assert ready(selector) == everyone, f"interrupted at place {place}"
                assert ready(selector) == everyone, f"interrupted at place {place}"
                os.read(ours, 1)
                os.read(other, 1)
                assert ready(selector) == {other: EVENT_WRITE, third: EVENT_WRITE}
            return happened

        at_every_place(scene)


class TestUsing:
    """By what interrupts a wait: the rings are left to whom is interrupted, and all is done at last."""

    def scene_of(
        self, numbers: Numbers, use: Callable[[UringSelector, int], object], after: Callable[..., None]
    ) -> None:
        ours, theirs = numbers.pair()
        other, _ = numbers.pair()

        def scene(place: int) -> bool:
            third, peer = numbers.pair()
            with UringSelector() as selector:
                selector.register(ours, EVENT_READ)
                selector.register(third, EVENT_READ)
                assert ready(selector) == {}
                selector.register(other, EVENT_WRITE)
                os.write(theirs, b"x")

                def wait() -> None:
                    try:
                        for _ in range(2):
                            reported = ready(selector, 60)
                            assert selector.closed or reported[other] == EVENT_WRITE
                    except SelectorClosedError:
                        pass

                happened = interrupted(FILES, wait, place, lambda: use(selector, third))
                if happened:
                    after(selector, third, peer)
            os.read(ours, 1)
            return happened

        at_every_place(scene)

    def test_unregister(self, numbers):
        def after(selector: UringSelector, third: int, peer: int) -> None:
            numbers.close(third)
            assert os.read(peer, 1) == b""
            assert third not in selector.get_map()
            assert third not in ready(selector)

        self.scene_of(numbers, lambda selector, third: selector.unregister(third), after)

    def test_modify(self, numbers):
        def after(selector: UringSelector, third: int, peer: int) -> None:
            assert ready(selector)[third] == EVENT_WRITE
            os.write(peer, b"x")
            assert ready(selector)[third] == EVENT_WRITE
            selector.unregister(third)
            os.read(third, 1)
            numbers.close(third)
            assert os.read(peer, 1) == b""

        self.scene_of(numbers, lambda selector, third: selector.modify(third, EVENT_WRITE), after)

    def test_unregister_and_register_anew(self, numbers):
        def use(selector: UringSelector, third: int) -> None:
            selector.unregister(third)
            selector.register(third, BOTH)

        def after(selector: UringSelector, third: int, peer: int) -> None:
            assert ready(selector)[third] == EVENT_WRITE
            os.write(peer, b"x")
            assert ready(selector)[third] == BOTH

        self.scene_of(numbers, use, after)

    def test_close(self, numbers):
        def after(selector: UringSelector, third: int, peer: int) -> None:
            assert selector.closed
            numbers.close(third)
            assert os.read(peer, 1) == b""

        self.scene_of(numbers, lambda selector, _: selector.close(), after)

    def test_select_is_refused_but_does_not_hang(self, numbers):
        def use(selector: UringSelector, _: int) -> None:
            with contextlib.suppress(RuntimeError):  # but for the first lines and the last
                selector.select(0)

        def after(selector: UringSelector, third: int, peer: int) -> None:
            os.write(peer, b"x")
            assert ready(selector)[third] == EVENT_READ

        self.scene_of(numbers, use, after)
