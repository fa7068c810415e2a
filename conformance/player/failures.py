"""Actions on exceptions that nobody asks for, and on what debug mode notices."""

from __future__ import annotations

import asyncio
import contextvars
import gc
from collections.abc import Callable
from typing import Any

from .lifecycle import LifeCycle
from .stage import VALUE


class Failures(LifeCycle):
    """failing, ask, forget, slow, misuse."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._failing: dict[str, asyncio.Future[None]] = {}

    def do_failing(self, label: str, text: str, value: int | None = None) -> None:
        name = self.fresh(label)
        if text == "future":
            future = self._failing[name] = self.loop.create_future()
            future.set_exception(ValueError(name))
            self.note("failed", name, by=text, value=None)
            return
        context = contextvars.copy_context()
        if value is not None:
            context.run(VALUE.set, value)
        self.expect(name)
        self._failing[name] = context.run(self.loop.create_task, self._fail(name))

    async def _fail(self, name: str) -> None:
        self.arrived(name)
        self.note("failed", name, by="task", value=VALUE.get())
        raise ValueError(name)

    def do_ask(self, label: str) -> None:
        future = self._failing.get(self.current(label))
        if future is not None and future.done():
            self.note("asked", self.current(label), exception=repr(future.exception()))

    def do_forget(self, label: str) -> None:
        name = self.current(label)
        if name in self._failing and self._failing[name].done():
            self.note("forgotten", name)
            del self._failing[name]
            gc.collect()
            self.note("collected", name)

    def do_slow(self, ms: float) -> None:
        self.loop.slow_callback_duration = ms / 1000
        self.note("slow-from", "", duration_s=ms / 1000)

    def do_misuse(self, text: str) -> None:
        method, _, thing = text.partition(" of ")

        async def never_awaited() -> None:
            """Is scheduled where a callback belongs."""

        coroutine = never_awaited()
        callback: Any = {"a coroutine function": never_awaited, "a coroutine": coroutine}.get(thing, 7)
        loop, error = self.loop, None
        calls: dict[str, Callable[[], object]] = {
            "call_soon": lambda: loop.call_soon(callback),
            "call_soon_threadsafe": lambda: loop.call_soon_threadsafe(callback),
            "call_later": lambda: loop.call_later(0.001, callback),
            "call_at": lambda: loop.call_at(loop.time(), callback),
            "run_in_executor": lambda: loop.run_in_executor(None, callback),
        }
        try:
            calls[method]()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        coroutine.close()
        self.note("misused", text, error=error)
