"""A history as a drawing: time runs down, a lane per thread, a row per event. 3 events and 150 read alike.

Only geometry is worked out here, in CSS pixels; the template draws it. A row per event keeps labels apart
however close the events were in time; a long pause widens the gap between two rows and is written into it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

EVENTS_SHOWN = 400
LABEL_LENGTH = 96

_ROW = 22
_TIME_WIDTH = 76
_LANE_WIDTH = 26
_LETTER_WIDTH = 7.4  # of a 12 px monospaced face, with a little to spare
_PAUSE_MS = 1.0
_ALIKE = 3
_LANE_COLOURS = 6
_FIRST_LANES = ("loop", "main")


@dataclass(frozen=True)
class Lane:
    """Whoever did something in the play, a vertical line."""

    name: str
    x: float
    colour: int
    """Which of the style sheet's lane colours."""

    @property
    def kind(self) -> str:
        """``loop``, ``main`` (outside the loop), ``peer`` (the other end of a connection) or ``thread``."""
        if self.name in _FIRST_LANES:
            return self.name
        return "peer" if _is_peer(self.name) else "thread"


@dataclass(frozen=True)
class Mark:
    """One event of the play, a dot in its lane and a line of text."""

    y: float
    lane: Lane
    time: str
    event: str
    label: str
    hover: str


@dataclass(frozen=True)
class Pause:
    """Time in which nothing was recorded, or events left out."""

    y: float
    text: str


@dataclass(frozen=True)
class Timeline:
    """All that is to be drawn, and how large the drawing is."""

    lanes: list[Lane]
    marks: list[Mark]
    pauses: list[Pause]
    text_x: float
    width: float
    height: float
    events: int


def draw_timeline(history: Sequence[dict[str, Any]]) -> Timeline | None:
    """Lay out ``history`` (see ``Witness.history``); None when there is nothing to draw.

    Of events alike in a row the first and the last are drawn, of a history that is still longer than 400
    events the first and the last 200, and the gap says so.
    """
    if not history:
        return None
    lanes = _lanes(history)
    marks: list[Mark] = []
    pauses: list[Pause] = []
    y = float(_ROW)
    before_ms: float | None = None
    for event in _shown(history):
        if isinstance(event, str):
            pauses.append(Pause(y, event))
            y += _ROW
            before_ms = None
            continue
        at_ms = _number(event.get("at_ms"))
        if before_ms is not None and at_ms - before_ms >= _PAUSE_MS:
            gap = min(14 + 6 * math.log10(at_ms - before_ms + 1), 34)
            y += gap
            pauses.append(Pause(y - (_ROW + gap) / 2, f"{_milliseconds(at_ms - before_ms)} ms later"))
        marks.append(_mark(event, y, lanes[_lane_name(event)], at_ms))
        before_ms = at_ms
        y += _ROW
    text_x = _TIME_WIDTH + _LANE_WIDTH * len(lanes)
    longest = max(len(mark.event) + len(mark.label) + 2 for mark in marks)
    width = text_x + longest * _LETTER_WIDTH + 8
    return Timeline(list(lanes.values()), marks, pauses, text_x, round(width), round(y), len(history))


def _shown(history: Sequence[dict[str, Any]]) -> list[dict[str, Any] | str]:
    """The events to be drawn, and in words what is left out between them."""
    rows: list[dict[str, Any] | str] = []
    for _, group in itertools.groupby(history, key=lambda event: {**event, "at_ms": None}):
        alike = list(group)
        rows += alike if len(alike) <= _ALIKE else [alike[0], f"{len(alike) - 2} more like it", alike[-1]]
    half = EVENTS_SHOWN // 2
    left_out = len(rows) - EVENTS_SHOWN
    if left_out <= 0:
        return rows
    return [*rows[:half], f"{left_out} more events, in the JSON report", *rows[-half:]]


def _lanes(history: Sequence[dict[str, Any]]) -> dict[str, Lane]:
    """The loop first, then what is outside of it, then the peers, then threads as they appear."""
    seen = dict.fromkeys(_lane_name(event) for event in history)
    first = [name for name in _FIRST_LANES if name in seen]
    peers = [name for name in seen if _is_peer(name)]
    names = [*first, *peers, *(name for name in seen if name not in first and name not in peers)]
    fixed = {name: colour for colour, name in enumerate(_FIRST_LANES)}
    return {
        name: Lane(name, _TIME_WIDTH + _LANE_WIDTH * n, fixed.get(name, 2 + n % (_LANE_COLOURS - 2)))
        for n, name in enumerate(names)
    }


def _is_peer(name: str) -> bool:
    return name.startswith("peer")


def _mark(event: dict[str, Any], y: float, lane: Lane, at_ms: float) -> Mark:
    name = str(event.get("event", ""))
    label = str(event.get("label", ""))
    detail = str(event.get("detail", ""))
    time = _milliseconds(at_ms)
    full = " ".join(part for part in (name, label) if part)
    hover = f"{time} ms, {lane.name}: {full}"
    if detail:
        hover += f"\n{detail}"
    line = " ".join(f"{label}  {detail}".split()) if detail else label
    if len(line) > LABEL_LENGTH:
        line = line[: LABEL_LENGTH - 1] + "…"
    return Mark(y, lane, time, name[:LABEL_LENGTH], line, hover)


def _lane_name(event: dict[str, Any]) -> str:
    return str(event.get("lane", "main"))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else 0.0


def _milliseconds(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 1000 else f"{value:.1f}"
