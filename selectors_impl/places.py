"""Where in the program a call came from."""

from __future__ import annotations

import sys
from types import FrameType

# A program reaches a selector through these; to be told a line of them would help nobody.
_LIBRARIES = frozenset({__name__.partition(".")[0], "asyncio", "selectors"})


def place_of_call() -> str:
    """The line of the program behind the current call: ``app.py:12 in main``.

    That is the nearest frame outside of asyncio and muxloop. Where the event loop calls on its own behalf,
    it is the nearest one outside of the asking module: frames beyond ``run_forever`` only started the loop.
    """
    asking = sys._getframe(1).f_globals
    nearest = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        library = str(frame.f_globals.get("__name__")).partition(".")[0] in _LIBRARIES
        if not library or (nearest is None and frame.f_globals is not asking):
            nearest = frame
        if not library or frame.f_code.co_name == "run_forever":
            break
        frame = frame.f_back
    if nearest is None:
        return "a place unknown"
    return f"{nearest.f_code.co_filename}:{nearest.f_lineno} in {nearest.f_code.co_qualname}"
