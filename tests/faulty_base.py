"""What every planted fault shares: its label, and a reference loop cut into steps that can go wrong one at
a time.

A fault is a class. Its docstring *is* its label, so the two cannot drift apart:

    <number in the list of historical faults and issue, or "seen in"/"invented">: <symptom>. Breaks <RULE>.

The rule may be one that looks on, and the fault show only in the programs of another: ``Breaks <RULE> in
programs of <OTHER RULE>.``

`SteppedLoop` is CPython's selector loop with a turn of our own, sound as it stands: the tests hold it to
the same observations as CPython's. A fault overrides the one step it spoils. It reads private attributes of
CPython's loop on purpose (3.11 to 3.13): it is an edition of that loop, not a client of it.
"""

from __future__ import annotations

import asyncio
import heapq
import re
import selectors
from collections import deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

LABEL = re.compile(
    r"(?P<issue>.+?): (?P<symptom>.+)\. Breaks (?P<rule>[A-Z]+-\d\d)"
    r"(?: in programs of (?P<programs_of>[A-Z]+-\d\d))?(?: \((?P<outcome>\w+)\))?\.$"
)

SWEEP_FROM = 100
"""Fewer timers than this are never swept; the same figure as CPython's, so that the same programs reach a
sweep."""

LONGEST_WAIT_S = 24 * 3600.0

T = TypeVar("T")


@dataclass(frozen=True)
class Fault(Generic[T]):
    """One planted fault: `factory` builds the faulty thing, and `rule` is the id of the rule that must
    catch it.

    `outcome` is what a conformance run has to say: broken, or hung or crashed for a fault that takes its
    process along.
    """

    name: str
    issue: str
    symptom: str
    rule: str
    factory: Callable[..., T]
    outcome: str = "broken"
    programs_of: str = ""
    """The rule whose programs show the fault, where it is another one."""


LoopFault = Fault[asyncio.AbstractEventLoop]
SelectorFault = Fault[selectors.BaseSelector]


_PLANTED_IN: dict[str, str] = {}
"""The module of each fault, by name: they are put together in one table, where one would hide another."""


class FaultBed(dict[str, Fault[T]], Generic[T]):
    """Faults by name; `plant` decorates the class of each, and reads the label in its docstring."""

    def plant(self, made: type[Any]) -> type[Any]:
        """Enter a class; its name in snake case names the fault.

        Raises ValueError for an illegible label, and for a name that a fault of another module has.
        """
        label = LABEL.match(" ".join((made.__doc__ or "").split()))
        if label is None:
            raise ValueError(
                f"planted fault {made.__name__}: its docstring is no label; write {LABEL.pattern}"
            )
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", made.__name__).lower()
        if _PLANTED_IN.setdefault(name, made.__module__) != made.__module__:
            raise ValueError(
                f"planted fault {made.__name__}: {_PLANTED_IN[name]} has one of that name; rename"
            )
        self[name] = Fault(
            *(name, label["issue"], label["symptom"], label["rule"], made, label["outcome"] or "broken"),
            programs_of=label["programs_of"] or "",
        )
        return made

    def plant_in(self, loop: type[Any], part: str) -> Callable[[type[Any]], type[Any]]:
        """A decorator for a class with a label: enters `loop` with that class as its attribute `part`."""

        def plant(made: type[Any]) -> type[Any]:
            members = {"__doc__": made.__doc__, "__module__": made.__module__, part: made}
            self.plant(type(made.__name__.removesuffix("Transport"), (loop,), members))
            return made

        return plant


# The parts that faults spoil are private ones, which type checkers have never heard of: hence no-any-return
# in the modules of faults.
Reference: Any = asyncio.SelectorEventLoop


class SteppedLoop(Reference):  # type: ignore[misc]
    """CPython's selector loop, its turn cut into steps: sweep, wait, queue I/O, queue due timers, call the
    batch."""

    _ready: deque[Any]
    _scheduled: list[Any]
    _selector: selectors.EpollSelector
    _stopping: bool
    _debug: bool
    _timer_cancelled_count: int

    handle_type: type[asyncio.Handle] = asyncio.Handle
    timer_type: type[asyncio.TimerHandle] = asyncio.TimerHandle

    def _run_once(self) -> None:
        self._sweep()
        self._process_events(self._poll(self._wait_s()))
        self._queue_due()
        self._call_batch()

    def _sweep(self) -> None:
        if len(self._scheduled) > SWEEP_FROM and self._timer_cancelled_count * 2 > len(self._scheduled):
            self._sweep_all()
        while self._scheduled and self._scheduled[0]._cancelled:
            self._timer_cancelled_count -= 1
            heapq.heappop(self._scheduled)._scheduled = False

    def _sweep_all(self) -> None:
        for timer in self._scheduled:
            timer._scheduled = not timer._cancelled
        self._scheduled = [timer for timer in self._scheduled if timer._scheduled]
        heapq.heapify(self._scheduled)
        self._timer_cancelled_count = 0

    def _wait_s(self) -> float | None:
        if self._ready or self._stopping:
            return 0.0
        if not self._scheduled:
            return None
        return float(min(max(0.0, self._scheduled[0]._when - self.time()), LONGEST_WAIT_S))

    def _poll(self, timeout_s: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        return self._selector.select(timeout_s)

    def _queue_due(self) -> None:
        self._ready.extend(self._pop_due(self.time() + self._clock_resolution))

    def _pop_due(self, before: float) -> list[Any]:
        due = []
        while self._scheduled and self._scheduled[0]._when < before:
            timer = heapq.heappop(self._scheduled)
            timer._scheduled = False
            due.append(timer)
        return due

    def _call_batch(self) -> None:
        for _ in range(len(self._ready)):
            self._call_handle(self._ready.popleft())

    def _call_handle(self, handle: Any) -> None:
        if not handle._cancelled:
            handle._run()

    def _call_soon(self, callback: Any, args: Any, context: Context | None) -> asyncio.Handle:
        handle = self.handle_type(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        self._check_closed()
        if self._debug:
            self._check_thread()
            self._check_callback(callback, "call_at")
        timer: Any = self.timer_type(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True
        return timer  # type: ignore[no-any-return]

    def call_later(
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        # CPython's own trims the traceback kept in debug mode, by an attribute not every handle has.
        return self.call_at(self.time() + delay, callback, *args, context=context)
