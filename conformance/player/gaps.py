"""What a loop built on asyncio.BaseEventLoop does not have, where it does not say so by NotImplementedError.

BaseEventLoop documents what it leaves to its subclasses by methods that raise NotImplementedError, but for a
few private ones that it calls and never defines (``_start_serving`` is one). A loop without transports lacks
them; the AttributeError that a call of ``create_server()`` then ends in tells of that, and of nothing broken.
"""

from __future__ import annotations

import asyncio
import re
from functools import cache
from types import FunctionType
from typing import Any

_LACKS = re.compile(r"AttributeError: '\w+' object has no attribute '(_\w+)'")


def as_gap(loop: asyncio.AbstractEventLoop, error: str) -> str | None:
    """That error as the NotImplementedError which it should be; None when it is another matter."""
    lacks = _LACKS.match(error)
    if lacks is None or not isinstance(loop, asyncio.BaseEventLoop):
        return None
    name, kind = lacks[1], type(loop)
    if name not in _left_to_subclasses() or hasattr(kind, name):
        return None
    told = f"{kind.__name__} has no {name}(), which asyncio.BaseEventLoop calls and leaves to its subclasses"
    return f"NotImplementedError: {told}"


def is_left_out(loop: asyncio.AbstractEventLoop, method: str) -> bool:
    """Whether a public method is still the one of AbstractEventLoop, which raises NotImplementedError."""
    return getattr(type(loop), method, None) is getattr(asyncio.AbstractEventLoop, method)


@cache
def _left_to_subclasses() -> frozenset[str]:
    """Private methods that BaseEventLoop and its servers call, and only its subclasses have."""
    base: Any = asyncio.BaseEventLoop
    functions = [f for kind in (base, asyncio.Server) for f in vars(kind).values()]
    called = {name for f in functions if isinstance(f, FunctionType) for name in f.__code__.co_names}
    return frozenset(
        name
        for name in called
        if name.startswith("_") and hasattr(asyncio.SelectorEventLoop, name) and not hasattr(base, name)
    )
