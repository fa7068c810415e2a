"""Histories: what happened while a program was played, as plain data that rules look at.

The player notes events; a rule reads them through the queries below and never sees a loop. Events stand in
the order in which they were noted. Times are seconds of ``time.monotonic`` since the play began.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .program import Action, Program, walk


@dataclass(frozen=True)
class Event:
    """One thing that happened."""

    index: int
    """Position in the history."""
    at: float
    lane: str
    """Who did it: "main" (outside the loop), "loop" (inside a callback), or a thread by name."""
    kind: str
    """What: "called" (an action on the loop), "begin" and "end" of a callback, "run", "returned", …"""
    label: str
    """Whose: the label of the callback, future, task or thread, or the action itself."""
    data: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.data[name]

    def get(self, name: str, default: Any = None) -> Any:
        return self.data.get(name, default)


@dataclass(frozen=True)
class History:
    """The events of one play, and how it ended."""

    program: Program
    events: tuple[Event, ...] = ()
    outcome: str = "completed"
    """completed; hung (past the hard time limit); crashed (the process died)."""
    detail: str = ""
    """After a hang or a crash: what is known of it, in one sentence."""
    stderr: str = ""
    resolution: float = 1e-9
    """Resolution of the clock of the playing process, in seconds."""
    tolerance: float = 1.0
    """Factor by which upper bounds of time are widened on this machine (see ``tolerance.py``)."""
    _by_kind: dict[str, list[Event]] = field(default_factory=dict, compare=False, repr=False)

    def of(self, *kinds: str, label: str | None = None) -> list[Event]:
        """Events of these kinds, in order, of one label or of all."""
        if not self._by_kind:
            for event in self.events:
                self._by_kind.setdefault(event.kind, []).append(event)
        if len(kinds) == 1:
            chosen = self._by_kind.get(kinds[0], [])
        else:
            chosen = sorted((e for k in kinds for e in self._by_kind.get(k, [])), key=lambda e: e.index)
        return chosen if label is None else [e for e in chosen if e.label == label]

    def first(self, kind: str, label: str | None = None) -> Event | None:
        """The first event of that kind (and label), or None."""
        return next(iter(self.of(kind, label=label)), None)

    def scheduled(self, *ways: str) -> list[Event]:
        """The successful scheduling calls ("soon", "later", …; all if none is named), in order."""
        return [
            e
            for e in self.of("called")
            if "via" in e.data and (not ways or e["via"] in ways) and not e.get("error")
        ]

    def begins(self, label: str) -> list[Event]:
        """The runs of that callback."""
        return self.of("begin", label=label)

    def cancels(self, label: str) -> list[Event]:
        """The cancel() calls on that callback's handle."""
        return self.of("cancelled", label=label)

    def live(self, *ways: str) -> Iterator[Event]:
        """Scheduling calls whose handle nobody cancelled."""
        return (e for e in self.scheduled(*ways) if not self.cancels(e.label))

    @property
    def out_of_patience(self) -> bool:
        """Whether a run had to be ended because something expected did not come."""
        return any(e["reason"] == "patience" for e in self.of("returned"))

    def actions(self, kind: str) -> list[Action]:
        """The actions of that kind in the program."""
        return [action for action in walk(self.program) if action[0] == kind]
