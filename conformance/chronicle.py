"""A history as rows for people: what a report tells of each event, and in whose lane it draws it."""

from __future__ import annotations

from typing import Any

from .history import Event

_BESIDE_THE_POINT = frozenset(
    {
        *("via", "what", "expected", "within", "depth", "value"),
        # When it was, is told by the row's own time; what type a handle has, by the rules on handles.
        *("started", "returned", "loop_before", "loop_after", "loop_time"),
        *("is_handle", "is_timer", "type", "loop_given", "keys", "arguments"),
    }
)
_PEERS = frozenset({"peer", "client"})
_LONGEST = 60


def row(event: Event) -> dict[str, Any]:
    """One event as ``Witness.history`` holds it; what a peer does is in a lane of its own."""
    what = event.get("what")
    if event.kind in _PEERS:
        lane, kind = f"peer {event.label}", str(what or "connects")
    else:
        lane, kind = event.lane, event.get("via") or (f"{event.kind} {what}" if what else event.kind)
    return {
        "at_ms": round(event.at * 1000, 3),
        "lane": lane,
        "event": kind,
        "label": event.label,
        "detail": ", ".join(_details(event)),
    }


def _details(event: Event) -> list[str]:
    told = [_told(name, value) for name, value in event.data.items() if _matters(name, value)]
    if event.get("value"):  # somebody set the context variable
        told.append(_told("value", event["value"]))
    return told


def _matters(name: str, value: object) -> bool:
    nothing = value is None or value is False or value in ("", [], {}, ())
    return not nothing and name not in _BESIDE_THE_POINT


def _told(name: str, value: object) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else repr(value)
    return f"{name}={shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + '…'}"
