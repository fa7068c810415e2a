"""Handles: what a scheduling call returns, and what the ready queue and the timer heap hold.

They are ``asyncio.Handle`` and ``asyncio.TimerHandle`` for ``isinstance`` and for ``repr``, with a lean
constructor: a handle is cancelled exactly when it has no callback, so that needs no field of its own,
and what only debug mode stores lives in the traced classes.
"""

from __future__ import annotations

import asyncio
from asyncio import format_helpers
from collections.abc import Callable
from contextvars import Context, copy_context
from traceback import StackSummary
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVarTuple

if TYPE_CHECKING:
    from .core import Core

# Rebuilding the heap for fewer cancelled timers costs more than carrying them along.
FEWEST_DEAD_TO_REBUILD = 64

Callback = Callable[..., object]
Ts = TypeVarTuple("Ts")  # the arguments of a callback


class Handle(asyncio.Handle):
    """A callback that the loop will call; ``cancel()`` keeps it from being called.

    Source: https://docs.python.org/3/library/asyncio-eventloop.html#callback-handles
    """

    __slots__ = ()

    # What asyncio.Handle keeps in fields and an untraced handle never changes.
    _repr: str | None = None
    _source_traceback: StackSummary | None = None

    owned = False  # whether it works for a transport or a sock_* call of the loop
    waits = False  # whether it is that of a sock_* call

    _callback: Callback | None
    _args: tuple[Any, ...]
    _context: Context | None
    _loop: Core

    def __init__(
        self, callback: Callback, args: tuple[Any, ...], loop: Core, context: Context | None = None
    ) -> None:
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context

    def cancel(self) -> None:
        """Keep the callback from being called, and let go of it, its arguments and its context at once."""
        self._callback = None
        self._args = ()
        self._context = None

    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called, before or after the callback ran."""
        return self._callback is None

    @property
    def _cancelled(self) -> bool:  # type: ignore[override]  # asyncio.Handle.__repr__ reads it
        return self._callback is None

    def get_context(self) -> Context | None:
        """The context the callback runs in; None once cancelled."""
        return self._context


class OwnedHandle(Handle):
    """A reader or writer of the loop's own: run once more, instead of cancelled, when its file was closed."""

    __slots__ = ()

    owned = True


class WaitHandle(OwnedHandle):
    """What resumes a ``sock_*`` call."""

    __slots__ = ()

    waits = True


class TimerHandle(asyncio.TimerHandle):
    """A callback that the loop will call at a time.

    Source: https://docs.python.org/3/library/asyncio-eventloop.html#asyncio.TimerHandle
    """

    __slots__ = ()

    _repr: str | None = None
    _source_traceback: StackSummary | None = None

    _callback: Callback | None
    _args: tuple[Any, ...]
    _context: Context | None
    _loop: Core
    _when: float
    _scheduled: bool  # whether it stands in the heap

    def __init__(
        self,
        when: float,
        callback: Callback,
        args: tuple[Any, ...],
        loop: Core,
        context: Context | None = None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._loop = loop
        self._context = copy_context() if context is None else context
        self._scheduled = True

    def cancel(self) -> None:
        """Keep the callback from being called, and let go of it, its arguments and its context at once."""
        callback = self._callback
        if callback is None:
            return
        timers = self._loop._timers
        # The local keeps the callback alive until the death is counted: its finaliser may arm and cancel.
        self._callback = None
        if self._scheduled:
            timers.dead += 1
        self._args = ()
        self._context = None
        if timers.dead > FEWEST_DEAD_TO_REBUILD:
            timers.rebuild_if_worth()

    def cancelled(self) -> bool:
        """Whether ``cancel()`` was called, before or after the callback ran."""
        return self._callback is None

    @property
    def _cancelled(self) -> bool:  # type: ignore[override]  # asyncio.TimerHandle.__repr__ and __eq__ read it
        return self._callback is None

    def get_context(self) -> Context | None:
        """The context the callback runs in; None once cancelled."""
        return self._context


class _Traced(asyncio.Handle):
    """A handle that knows where it was created, and keeps its description when cancelled."""

    __slots__ = ()

    _repr: str | None
    _source_traceback: StackSummary | None

    def _trace(self, frame: FrameType | None) -> None:
        self._repr = None
        self._source_traceback = format_helpers.extract_stack(frame)

    def cancel(self) -> None:
        """As the plain handle's; the description for logs is made first."""
        if not self.cancelled():
            self._repr = repr(self).replace("Handle", "Handle cancelled", 1)
        super().cancel()

    def __repr__(self) -> str:
        return super().__repr__().replace("<Traced", "<", 1)


class TracedHandle(_Traced, Handle):
    """A handle of debug mode."""

    __slots__ = ("_repr", "_source_traceback")

    def __init__(
        self,
        callback: Callback,
        args: tuple[Any, ...],
        loop: Core,
        context: Context | None,
        frame: FrameType | None,
    ) -> None:
        Handle.__init__(self, callback, args, loop, context)
        self._trace(frame)


class TracedTimerHandle(_Traced, TimerHandle):
    """A timer handle of debug mode."""

    __slots__ = ("_repr", "_source_traceback")

    def __init__(
        self,
        when: float,
        callback: Callback,
        args: tuple[Any, ...],
        loop: Core,
        context: Context | None,
        frame: FrameType | None,
    ) -> None:
        TimerHandle.__init__(self, when, callback, args, loop, context)
        self._trace(frame)


def describe_callback(callback: Callback, args: tuple[Any, ...]) -> str:
    """A callback's name, arguments and place in the source, as asyncio's own messages give them."""
    return str(format_helpers._format_callback_source(callback, args))
