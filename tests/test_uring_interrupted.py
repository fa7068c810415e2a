"""A signal handler that raises, or uses the selector, at every place of the uring backend where one can run.

CPython looks for signals, and for what the garbage collector has to finalize, after calls, where a
function begins, and where a loop goes back: so it is there that these tests interrupt.
"""

from __future__ import annotations

import contextlib
import dis
import functools
import gc
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from selectors import EVENT_READ, EVENT_WRITE
from types import CodeType, FrameType
from typing import Any

import pytest
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
MOST_PLACES = 2000


class Interruption(Exception):  # noqa: N818 - as KeyboardInterrupt is none
    """What a signal handler raises."""


@functools.cache
def places_of(code: CodeType) -> set[int]:
    """The offsets of the instructions before which CPython looks for signals."""
    instructions = list(dis.get_instructions(code))
    after_calls = {
        after.offset for before, after in pairwise(instructions) if before.opname.startswith("CALL")
    }
    return after_calls | {each.offset for each in instructions if each.opname in ("RESUME", "JUMP_BACKWARD")}


def interrupted(play: Callable[[], object], place: int, interrupt: Callable[[], object]) -> bool:
    """Run *play*, and *interrupt* at the *place*-th place of the backend; whether it has that many."""
    left = place

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if os.path.basename(frame.f_code.co_filename) not in FILES:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode" and frame.f_lasti in places_of(frame.f_code):
            left -= 1
            if not left:
                sys.settrace(None)
                interrupt()
        return trace

    before = sys.gettrace()
    gc.disable()  # the rings of former scenes are not what is interrupted
    sys.settrace(trace)
    try:
        play()
    finally:
        sys.settrace(before)
        gc.enable()
    return left <= 0


def at_every_place(scene: Callable[[int], bool]) -> None:
    """Play *scene* with an interruption at the first place, the second … until there are no more."""
    scene(MOST_PLACES)  # a function's instructions are traced from its second call on (CPython 3.12)
    for place in range(1, MOST_PLACES):
        if not scene(place):
            assert place > 50  # or the tracing has found nothing
            return
    raise AssertionError(f"more than {MOST_PLACES} places")


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
                    happened = interrupted(lambda: selector.select(60), place, interrupt)
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

                happened = interrupted(wait, place, lambda: use(selector, third))
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
