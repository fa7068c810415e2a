"""What a report tells of each event of a history."""

from __future__ import annotations

from typing import Any

import pytest
from muxloop.conformance.chronicle import row
from muxloop.conformance.history import Event, History
from muxloop.conformance.playground import Playground
from muxloop.conformance.program import parse
from muxloop.conformance.vocabulary import LOOP_ACTIONS


def told(kind: str, label: str = "0", **data: Any) -> dict[str, Any]:
    return row(Event(3, 0.0123456, "loop", kind, label, data))


def test_a_row_has_its_time_in_milliseconds_and_its_lane() -> None:
    assert told("begin", "c0", run=1, depth=0, value=0) == {
        "at_ms": 12.346, "lane": "loop", "event": "begin", "label": "c0", "detail": "run=1"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "data", "event"),
    [
        ("called", {"via": "soon", "started": 0.1, "is_handle": True}, "soon"),
        ("told", {"what": "connection_made", "closing": False}, "told connection_made"),
        ("run", {"expected": ["c0"]}, "run"),
    ],
)
def test_an_event_is_named_by_what_was_done(kind: str, data: dict[str, Any], event: str) -> None:
    found = told(kind, **data)
    assert (found["event"], found["lane"], found["detail"]) == (event, "loop", "")


@pytest.mark.parametrize(
    ("kind", "data", "event"),
    [("peer", {"what": "sent", "total": 0}, "sent"), ("client", {"error": None}, "connects")],
)
def test_a_peer_has_a_lane_of_its_own(kind: str, data: dict[str, Any], event: str) -> None:
    found = told(kind, "2", **data)
    assert (found["event"], found["lane"]) == (event, "peer 2")


def test_details_are_short_and_to_the_point() -> None:
    found = told("looked", names=["a"] * 60, cpu_s=0.123456789, lost=0, error=None, way="", closing=False)
    names, *rest = found["detail"].rsplit(", ", 2)
    assert names.startswith("names=['a', ")
    assert len(names) == len("names=") + 60
    assert names.endswith("…")
    assert rest == ["cpu_s=0.123457", "lost=0"]


def test_a_conversation_has_the_lanes_of_both_ends() -> None:
    program = '[["link",0,"tcp"],["run"],["peer_send",0,3],["peer_eof",0],["run"]]'
    playground = Playground("asyncio@select", 1.0)
    try:
        history = playground.play(parse(program, LOOP_ACTIONS))
    finally:
        playground.stop()
    assert isinstance(history, History)
    assert {"main", "loop", "peer 0"} <= {row(event)["lane"] for event in history.events}
    assert "told eof_received" in [row(event)["event"] for event in history.events]
