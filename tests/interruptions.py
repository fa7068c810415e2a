"""Running something wherever a signal handler or a finaliser can run.

CPython looks for signals, and for what the garbage collector has to finalize, after calls, where a
function begins, and where a loop goes back: so it is there that a play is interrupted.
"""

from __future__ import annotations

import dis
import functools
import gc
import os
import sys
from collections.abc import Callable, Container
from itertools import pairwise
from types import CodeType, FrameType
from typing import Any

MOST_PLACES = 2000


@functools.cache
def places_of(code: CodeType) -> set[int]:
    """The offsets of the instructions before which CPython looks for signals."""
    instructions = list(dis.get_instructions(code))
    after_calls = {
        after.offset for before, after in pairwise(instructions) if before.opname.startswith("CALL")
    }
    return after_calls | {each.offset for each in instructions if each.opname in ("RESUME", "JUMP_BACKWARD")}


def interrupted(
    files: Container[str], play: Callable[[], object], place: int, interrupt: Callable[[], object]
) -> bool:
    """Run *play*, and *interrupt* at the *place*-th place in *files*; whether there are that many."""
    left = place

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if os.path.basename(frame.f_code.co_filename) not in files:
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


def at_every_place(scene: Callable[[int], bool], *, fewest: int = 50) -> None:
    """Play *scene* with an interruption at the first place, the second … until there are no more."""
    scene(MOST_PLACES)  # a function's instructions are traced from its second call on (CPython 3.12)
    for place in range(1, MOST_PLACES):
        if not scene(place):
            assert place > fewest  # or the tracing has found nothing
            return
    raise AssertionError(f"more than {MOST_PLACES} places")
