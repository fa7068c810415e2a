"""The stage: notes events, calls bodies, and knows when a run has nothing left to wait for.

What lives here: the list of events, the set of callbacks still expected, and the end of a run. What the
actions do to a loop stands in the sibling files, by subject; ``LoopPlayer`` puts them together.

A run ends when nothing is expected any more and two further iterations brought nothing. It never ends because
some time went by, save for patience: when something expected is overdue by ``PATIENCE_S`` (times the
machine's tolerance), the run is stopped and says so, and a rule can name what was missing.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from ..program import Program
from .gaps import as_gap

PATIENCE_S = 0.6
CHILD_S = 3.0
"""A forked child that has not reported after this time (times the tolerance) hangs."""
NAMED = 8
"""So many of those that are still expected are named in an event."""
READER_LIMIT = 20
"""After so many runs a reader or writer that is still ready is removed: a play must end."""

VALUE: contextvars.ContextVar[int] = contextvars.ContextVar("muxloop_conformance_value", default=0)


class Stage:
    """Notes what happens; the base of every player."""

    def __init__(self, tolerance: float = 1.0) -> None:
        self.tolerance = tolerance
        self.events: list[tuple[float, str, str, str, dict[str, Any]]] = []
        self._start = time.monotonic()
        self._main = threading.get_ident()
        self._lanes: dict[int, str] = {}
        self._inside_run = False

    def now(self) -> float:
        """Seconds since the play began."""
        return time.monotonic() - self._start

    def note(self, kind: str, label: str = "", **data: Any) -> None:
        """Append one event."""
        self.events.append((time.monotonic() - self._start, self.lane(), kind, label, data))

    def lane(self) -> str:
        ident = threading.get_ident()
        if ident == self._main:
            return "loop" if self._inside_run else "main"
        return self._lanes.get(ident, "thread")

    def perform(self, body: Program) -> None:
        """Do the actions of a body, one after the other."""
        for kind, *arguments in body:
            getattr(self, f"do_{kind}")(*arguments)


class LoopStage(Stage):
    """A stage with an event loop on it: callbacks that perform bodies, and runs that end by themselves."""

    def __init__(self, make_loop: Callable[[], asyncio.AbstractEventLoop], tolerance: float = 1.0) -> None:
        super().__init__(tolerance)
        self.make_loop = make_loop
        self.loop = make_loop()
        self._expected: dict[str, float] = {}
        self._seen_labels: dict[str, int] = {}
        self._current: dict[str, str] = {}
        self._depth = 0
        self._activity = 0
        self._watch_until = 0.0
        self._closing = False
        self._stop_wanted = False
        self._reason = ""

    def note(self, kind: str, label: str = "", **data: Any) -> None:
        error = data.get("error")
        if isinstance(error, str) and error.startswith("AttributeError"):
            data["error"] = as_gap(self.loop, error) or error
        super().note(kind, label, **data)

    def loop_time(self) -> float:
        """What the loop's clock says; TypeError when that is nothing a deadline could be reckoned from."""
        reading = self.loop.time()
        if not isinstance(reading, (int, float)):
            raise TypeError(f"loop.time() returned {reading!r:.60}, which is no number")
        return reading

    # -- labels ------------------------------------------------------------------------------------------

    def fresh(self, label: str) -> str:
        """A body that runs twice schedules its callbacks twice: the second one is called ``label.2``."""
        count = self._seen_labels.get(label, 0) + 1
        self._seen_labels[label] = count
        name = label if count == 1 else f"{label}.{count}"
        self._current[label] = name
        return name

    def current(self, label: str) -> str:
        """The latest of that label's names."""
        return self._current.get(label, label)

    # -- what is still to come ---------------------------------------------------------------------------

    def expect(self, name: str, within_s: float = 0.0) -> None:
        """A run shall not end before this has come, ``within_s`` from now at the latest."""
        self._expected[name] = self.now() + within_s

    def met(self, name: str) -> None:
        self._expected.pop(name, None)

    def arrived(self, name: str) -> None:
        """What was expected under that name has come, by another way than a body; a run may end with it."""
        self._activity += 1
        self.met(name)
        self.consider_ending()

    def watch(self, within_s: float) -> None:
        """A run shall go on that long, so that what should not happen can be seen to happen."""
        self._watch_until = max(self._watch_until, self.now() + within_s)

    def _still_expected(self) -> list[str]:
        names = sorted(self._expected)
        return names if len(names) <= NAMED else [*names[:NAMED], f"… {len(names) - NAMED} more"]

    # -- callbacks ---------------------------------------------------------------------------------------

    def enter(self, label: str, run: int, noted: bool = True) -> None:
        self._activity += 1
        if noted:
            self.note(
                "begin", label, run=run, value=VALUE.get(), depth=self._depth, loop_time=self.loop_time()
            )
        self._depth += 1

    def leave(self, label: str, noted: bool = True, due_again_s: float | None = None) -> None:
        self._depth -= 1
        if noted:
            self.note("end", label)
        if due_again_s is None:
            self.met(label)
        else:
            self.expect(label, due_again_s)
        self.consider_ending()

    # -- the end of a run --------------------------------------------------------------------------------

    def run(self, body: Callable[[], object]) -> None:
        """Run the loop through ``body`` (run_forever or the like) and note how it came back."""
        self._reason, self._closing = "", False
        patience = PATIENCE_S * self.tolerance
        watchdog = threading.Timer(4 * patience, self._rescue)
        watchdog.daemon = True
        watchdog.start()
        backstop = self.loop.call_later(patience, self._out_of_patience)
        if not self._expected and not self._stop_wanted:
            self.loop.call_soon(self.consider_ending)
        self.note("run", expected=self._still_expected())
        self._inside_run = True
        error, result = None, None
        try:
            result = body()
        except BaseException as caught:  # KeyboardInterrupt too is a way to leave a loop, to be judged
            error = f"{type(caught).__name__}: {caught}"
        self._inside_run = False
        reason = self._reason or ("raised" if error else "stopped")
        try:
            backstop.cancel()
        except Exception as caught:
            self.note("broken-player", "cancel", error=repr(caught))
        watchdog.cancel()
        self._stop_wanted = False
        self._depth = 0
        self.note(
            "returned",
            reason=reason,
            error=error,
            result=repr(result),
            running=asyncio._get_running_loop() is not None,
            expected=self._still_expected(),
        )

    def consider_ending(self) -> None:
        """Start to end the run when nothing is expected; called after each callback."""
        if self._closing or self._stop_wanted or not self._inside_run or self._expected:
            return
        self._closing = True
        left = self._watch_until - self.now()
        if left > 0:
            self.loop.call_later(left + 0.001, self._settle, 0, self._activity)
        else:
            self._look_again(0)

    def _look_again(self, quiet: int) -> None:
        """Have a look after the next iteration; a driver says where callbacks do not mean one."""
        settling_s = getattr(self.loop, "settling_s", None)
        if settling_s is None:
            self.loop.call_soon(self._settle, quiet, self._activity)
        else:
            self.loop.call_later(settling_s, self._settle, quiet, self._activity)

    def _settle(self, quiet: int, activity: int) -> None:
        if self._expected or self._stop_wanted:
            self._closing = False
            return
        if activity != self._activity:
            quiet = -1
        if quiet >= 2:
            self._reason = "quiescent"
            self.loop.stop()
        else:
            self._look_again(quiet + 1)

    def _out_of_patience(self) -> None:
        patience = PATIENCE_S * self.tolerance
        due = max(self._expected.values(), default=0.0) + patience
        if self._expected and due > self.now():
            self.loop.call_later(due - self.now(), self._out_of_patience)
            return
        self._reason = "patience"
        self.note("patience", expected=self._still_expected())
        self.loop.stop()

    def _rescue(self) -> None:
        """This loop's timers do not come: end the run from another thread, to have something to judge."""
        self._reason = "patience"
        self.note("patience", expected=self._still_expected())
        try:
            self.loop.call_soon_threadsafe(self.loop.stop)
        except Exception as caught:
            sys.stderr.write(f"rescue failed: {caught!r}\n")
