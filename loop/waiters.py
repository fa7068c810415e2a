"""A future whose task goes on inside the very callback that settles it.

A plain future queues its callbacks: the task that waited for a file goes on one turn and one poll after
the loop saw the file ready. Nothing that can happen in between helps anybody, so the task's callback is
kept aside and called directly. It is called by the loop's own callback, never inside somebody's code, so
callbacks still do not re-enter each other (PEP 3156).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

Resume = Callable[[Any], object]


class Waiter(asyncio.Future[None]):
    """Settled by ``resume()`` or ``cancel()``; behaves as any future for whoever adds a second callback."""

    _first: Resume | None = None
    _first_context: Context | None = None

    def add_done_callback(self, fn: Resume, /, *, context: Context | None = None) -> None:
        """Call ``fn(self)`` in ``context`` when settled: the first one directly, others in a later turn."""
        if self._first is None and not self.done():
            self._first = fn
            self._first_context = copy_context() if context is None else context
        else:
            super().add_done_callback(fn, context=context)

    def remove_done_callback(self, fn: Resume, /) -> int:
        """Forget ``fn``; returns how many times it had been added."""
        removed = super().remove_done_callback(fn)
        if self._first is not None and self._first == fn:
            self._first = self._first_context = None
            removed += 1
        return removed

    def cancel(self, msg: Any = None) -> bool:
        """As ``Future.cancel``: every callback, the first one too, runs in a later turn."""
        if not super().cancel(msg):
            return False
        first, self._first = self._first, None
        if first is not None:
            self.get_loop().call_soon(first, self, context=self._first_context)
        return True

    def resume(self) -> None:
        """Settle it, and let who waits go on now. The loop's own callbacks call this, once."""
        self.set_result(None)
        first, self._first = self._first, None
        if first is not None:
            try:
                self._first_context.run(first, self)  # type: ignore[union-attr]  # set together
            finally:
                first = None  # a traceback that the task keeps leads to this frame
