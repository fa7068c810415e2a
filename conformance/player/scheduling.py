"""Actions that schedule, cancel and make up callbacks."""

from __future__ import annotations

import asyncio
import builtins
import contextvars
import gc
import sys
import time
import weakref
from typing import Any

from ..program import Program
from .stage import VALUE, LoopStage

COUNTING = sys.implementation.name == "cpython"
"""Whether references are counted, and what nobody refers to goes away at once."""
NEAR_S = 0.06
"""Cancelled timers nearer than this are watched past their deadline; farther ones are not waited for."""
FAR_S = 5.0
"""Timers farther than this are never waited for."""
NOTED_BULK = 400
"""Larger bulks are noted as a whole: they are there for their weight, not for their order."""
NOTED_ROUNDS = 5
"""Of a callback that schedules itself again and again, the first rounds and the last one are noted."""


class Payload:
    """An argument that can be watched by a weak reference."""

    __slots__ = ("__weakref__",)


class Callback:
    """One scheduled callback: performs its body and notes that it does."""

    def __init__(self, stage: Scheduling, label: str, body: Program, via: str, ms: Any) -> None:
        self.stage, self.label, self.body, self.via, self.ms = stage, label, body, via, ms
        self.runs = 0
        self.rounds = max((action[1] for action in body if action[0] == "again"), default=1)
        self.due_again_s: float | None = None

    def __call__(self, *_: object) -> None:
        self.runs += 1
        self.due_again_s = None
        stage = self.stage
        noted = self.runs <= NOTED_ROUNDS or self.runs >= self.rounds
        stage.enter(self.label, self.runs, noted)
        outer, stage.running = stage.running, self
        try:
            stage.perform(self.body)
        finally:
            stage.running = outer
            stage.leave(self.label, noted, self.due_again_s)


def _silent() -> None:
    """The callback of a large bulk."""


class Scheduling(LoopStage):
    """soon, threadsafe, later, at, again, cancel, bulk…"""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.handles: dict[str, asyncio.Handle] = {}
        self._watched: dict[str, tuple[weakref.ref[Any], weakref.ref[Any]]] = {}
        self._entrusted: dict[str, list[weakref.ref[Any]]] = {}
        self._delays_s: dict[str, float] = {}
        self.running: Callback | None = None
        self._base: float | None = None

    def entrust(self, name: str, callback: object) -> Payload:
        """An argument to hand to the loop with the callback; both are looked for once the loop is closed."""
        payload = Payload()
        self._entrusted.setdefault(name, []).extend((weakref.ref(callback), weakref.ref(payload)))
        return payload

    def do_soon(self, label: str, body: Program, value: int | None = None) -> None:
        self._schedule("soon", label, body, value)

    def do_threadsafe(self, label: str, body: Program, value: int | None = None) -> None:
        self._schedule("threadsafe", label, body, value)

    def do_later(self, label: str, ms: Any, body: Program, value: int | None = None) -> None:
        self._schedule("later", label, body, value, ms)

    def do_at(self, label: str, ms: Any, body: Program, value: int | None = None) -> None:
        self._schedule("at", label, body, value, ms)

    def _schedule(self, via: str, label: str, body: Program, value: int | None, ms: Any = None) -> None:
        name = self.fresh(label)
        callback, payload = Callback(self, name, body, via, ms), Payload()
        keywords: dict[str, Any] = {}
        if value is not None:
            context = contextvars.copy_context()
            context.run(VALUE.set, value)
            keywords["context"] = context
        self._watched[name] = (weakref.ref(callback), weakref.ref(payload))
        delay_s = self._delays_s[name] = 0.0 if ms is None else float(ms) / 1000
        inert = delay_s != delay_s or delay_s > FAR_S
        # Expected before the call: scheduled by another thread, the callback may run before the call returns.
        if not inert:
            self.expect(name, max(0.0, delay_s))
        self._submit(name, via, delay_s, callback, payload, keywords, VALUE.get() if value is None else value)

    def _submit(
        self,
        name: str,
        via: str,
        delay_s: float,
        callback: Any,
        payload: Payload,
        keywords: dict[str, Any],
        value: int,
    ) -> None:
        loop = self.loop
        data: dict[str, Any] = {
            "via": via,
            "value": value,
            "within": self.running.label if self.running else "",
        }
        handle: asyncio.Handle | None = None
        started = time.monotonic()
        data["loop_before"] = data["loop_after"] = self.loop_time()
        data["started"] = data["returned"] = started - self._start
        if via in ("later", "at"):
            data["delay"] = delay_s
        # Noted before the call, so that it stands before whatever the call sets off; completed after it,
        # unless it never comes back.
        self.events.append((self.now(), self.lane(), "called", name, data))
        try:
            if via == "soon":
                handle = loop.call_soon(callback, payload, **keywords)
            elif via == "threadsafe":
                handle = loop.call_soon_threadsafe(callback, payload, **keywords)
            elif via == "later":
                handle = loop.call_later(delay_s, callback, payload, **keywords)
            else:
                if self._base is None:
                    self._base = self.loop_time()
                data["deadline"] = self._base + delay_s
                handle = loop.call_at(data["deadline"], callback, payload, **keywords)
        except Exception as error:
            data["error"] = f"{type(error).__name__}: {error}"
            self.met(name)
        data["loop_after"], data["returned"] = self.loop_time(), self.now()
        if "error" not in data:
            if handle is not None:
                self.handles[name] = handle
            data["is_handle"] = isinstance(handle, asyncio.Handle)
            data["is_timer"] = isinstance(handle, asyncio.TimerHandle)
            data["type"] = f"{type(handle).__module__}.{type(handle).__qualname__}"
            data["cancelled"] = self._ask(handle, "cancelled")
            if via in ("later", "at"):
                data["when"] = self._ask(handle, "when")

    @staticmethod
    def _ask(handle: Any, method: str) -> Any:
        try:
            return getattr(handle, method)()
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def do_again(self, count: int) -> None:
        callback = self.running
        if callback is None or callback.runs >= count:
            return
        delay_s = 0.0 if callback.ms is None else float(callback.ms) / 1000
        loop = self.loop
        try:
            if callback.via == "soon":
                loop.call_soon(callback)
            elif callback.via == "threadsafe":
                loop.call_soon_threadsafe(callback)
            else:
                loop.call_later(delay_s, callback)
        except Exception as error:
            self.note("called", callback.label, error=f"{type(error).__name__}: {error}")
            return
        callback.due_again_s = delay_s

    def do_cancel(self, label: str) -> None:
        self._cancel(label, collects=not COUNTING)

    def _cancel(self, label: str, *, collects: bool) -> None:
        name = self.current(label)
        handle = self.handles.get(name)
        if handle is None:
            return
        running = self.running is not None and self.running.label == name
        error = None
        try:
            handle.cancel()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.met(name)
        if 0 < self._delays_s[name] < NEAR_S:
            self.watch(self._delays_s[name])
        if collects:
            gc.collect()
        self.note(
            "cancelled",
            name,
            says=self._ask(handle, "cancelled"),
            when=self._ask(handle, "when") if hasattr(handle, "when") else None,
            # Unknown where nothing was collected.
            released=all(reference() is None for reference in self._watched[name])
            if COUNTING or collects
            else None,
            running=running,
            error=error,
        )

    def do_probe(self, label: str) -> None:
        name = self.current(label)
        handle = self.handles.get(name)
        if handle is not None:
            when = self._ask(handle, "when") if hasattr(handle, "when") else None
            self.note("probed", name, says=self._ask(handle, "cancelled"), when=when)

    def do_bulk(self, label: str, count: int, ms: float, us: float) -> None:
        if count > NOTED_BULK:
            self.note("bulk", label, count=count)
            call_later, handles = self.loop.call_later, self.handles
            for i in range(count):
                handles[f"{label}#{i}"] = call_later((ms + i * us / 1000) / 1000, _silent)
            return
        for i in range(count):
            self._current.pop(f"{label}#{i}", None)
            self._schedule("later", f"{label}#{i}", (), None, ms + i * us / 1000)

    def do_cancel_bulk(self, label: str, count: int) -> None:
        mine = [name for name in self.handles if name.startswith(f"{label}#")]
        large = len(mine) > NOTED_BULK
        for name in mine:
            number = int(name.rpartition("#")[2].partition(".")[0])
            if count and number % count == 0:
                continue
            if large:
                self.handles.pop(name).cancel()
            else:
                self._cancel(name, collects=False)  # a collection for each would take seconds

    def do_setvar(self, value: int) -> None:
        VALUE.set(value)

    def do_raise(self, text: str) -> None:
        if self.running is None:
            return
        self.note("raised", self.running.label, exception=text, value=VALUE.get())
        raise getattr(builtins, text)(self.running.label)

    def do_block(self, ms: float) -> None:
        end = time.monotonic() + ms / 1000
        while (left := end - time.monotonic()) > 0:
            time.sleep(left)
