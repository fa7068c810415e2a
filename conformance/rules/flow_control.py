"""TRN: who may send when, and what becomes of those who do not listen."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..conversations import (
    ABORT,
    CLOSE,
    FAIL,
    LIMITS,
    LOOK,
    PAUSE,
    PEER_ENDS,
    PEER_LEAVES,
    PEER_READS,
    PEER_SENDS,
    PEER_TAKES,
    RESUME,
    SMALL,
    WRITE,
    conversations,
    events,
    reactions,
)
from ..history import Event, History
from ..strategies import action, several
from .connections import arrivals, calls, connected, connections, peers, told
from .queries import in_turns, runs_ended
from .rule import Finding, rule

_WRITES = st.one_of(WRITE, action("write", 0, st.sampled_from([70_001, 200_000]), st.just("lines")))
_LIMITING = st.one_of(
    action("limits", 0, LIMITS),
    st.tuples(LIMITS, LIMITS).map(lambda two: ("limits", 0, max(two), min(two))),
)


@rule(
    "TRN-04",
    "R",
    "pause_writing is told once above the high-water mark, resume_writing once at or below the low one, "
    "in turns; limits are as they were set, and zero means that nothing may stay buffered",
    source="asyncio-protocol docs, WriteTransport.set_write_buffer_limits and Flow Control Callbacks; "
    "gh-127655",
    programs=conversations(
        several(_LIMITING, 0, 2),
        several(_WRITES, 0, 2),
        ("look", 0),
        reactions(("resume_writing", "pause_writing"), [WRITE, LOOK]),
        events([_WRITES, _WRITES, PEER_TAKES, PEER_TAKES, _LIMITING, PEER_READS, LOOK], 1, 4),
    ),
)
def flow_control(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    for label in connections(history):
        turns = told(history, label, "pause_writing", "resume_writing")
        yield from in_turns(turns)
        yield from _limits_as_set(history, label)
        yield from _paused_when_full(history, label, turns)


def _limits_as_set(history: History, label: str) -> Iterator[Finding]:
    for call in calls(history, label, "set_write_buffer_limits"):
        if call["error"]:
            yield Finding("set_write_buffer_limits(high, low) is accepted", f"it raised {call['error']}")
        low, high = call["arguments"][1], call["arguments"][0]
        wanted = [low if low is not None else high // 4, high]
        if not call["error"] and (
            call["limits"][1] != high or (low is not None and call["limits"] != wanted)
        ):
            yield Finding(f"the limits are {tuple(wanted)}, low and high", f"they are {call['limits']}")


def _paused_when_full(history: History, label: str, turns: list[Event]) -> Iterator[Finding]:
    """Seen when a run is over: what the loop does a little later than CPython's is done by then."""
    for look in history.of("looked", label=label):
        if look.lane != "main" or look["closing"] is not False or not isinstance(look["limits"], list):
            continue
        before = [turn for turn in turns if turn.index < look.index]
        paused = bool(before) and before[-1]["what"] == "pause_writing"
        low, high = look["limits"]
        if look["size"] > high and not paused:
            yield Finding(
                f"the protocol is paused with {look['size']} bytes buffered and a high-water mark of {high}",
                "pause_writing was not called",
            )
        # Whether moving a mark resumes at once is left open.
        moved = [c for c in calls(history, label, "set_write_buffer_limits") if c.index < look.index]
        settled = not moved or (before and moved[-1].index < before[-1].index)
        if paused and settled and look["size"] <= low:
            yield Finding(
                f"the protocol is resumed with {look['size']} bytes buffered and a low-water mark of {low}",
                "resume_writing was not called",
            )


@rule(
    "TRN-06",
    "R",
    "pause_reading() and resume_reading() may be repeated; no data comes while paused, and none is lost",
    source="asyncio-protocol docs, ReadTransport.pause_reading and resume_reading (idempotent since 3.7)",
    programs=conversations(
        several(st.one_of(PEER_SENDS, PAUSE), 0, 2),
        reactions(("data_received",), [PAUSE, PAUSE, RESUME, PEER_SENDS]),
        events([PEER_SENDS, PEER_SENDS, PAUSE, RESUME]),
        made=several(st.one_of(PAUSE, RESUME, PEER_SENDS), 0, 2),
    ),
)
def paused_reading(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    yield from arrivals(history)
    for label in connections(history):
        switches = calls(history, label, "pause_reading", "resume_reading")
        for switch in switches:
            if switch["error"] and not switch["lost"]:
                yield Finding(f"{switch['what']}() may be repeated", f"it raised {switch['error']}")
        for event in told(history, label, "data_received"):
            before = [switch for switch in switches if switch.index < event.index]
            if before and before[-1]["what"] == "pause_reading":
                yield Finding("no data comes between pause_reading() and resume_reading()", "data came")
        leaving = next((call.index for call in calls(history, label, "close")), 0)
        last = [switch["what"] for switch in switches if switch.index < leaving][-1:]
        if last == ["pause_reading"]:
            continue
        sent = max((event["total"] for event in peers(history, label, "sent")), default=0)
        heard = max((event["total"] for event in told(history, label, "data_received")), default=0)
        if heard < sent:
            yield Finding(f"all {sent} bytes come after resume_reading()", f"{heard} came")


@rule(
    "TRN-07",
    "C",
    "writing after close or loss is ignored, with a warning in the log from the fifth time on",
    source="CPython test_selector_events, asyncio.constants; gh-136234",
    programs=st.one_of(
        conversations(
            several(st.one_of(CLOSE, ABORT, PEER_LEAVES, PEER_ENDS), 1, 2),
            ("run",),
            several(
                action("write", 0, st.integers(1, 300), st.sampled_from(["bytes", "bytes", "lines"])), 1, 8
            ),
            events([WRITE, CLOSE, ABORT], 0, 2),
        ),
        conversations(
            reactions(("resume_writing",), [WRITE], 1, 1),
            several(action("write", 0, st.just(400_000)), 1, 2),
            several(st.one_of(CLOSE, WRITE), 1, 2),
            several(CLOSE, 1, 1),
            ("peer_reads", 0),
        ),
    ),
)
def vain_writes(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    for label in connections(history):
        vain = [call for call in calls(history, label, "write", "writelines") if call["count"]]
        for call in vain:
            if call["error"] and (call["left"] or call["lost"]):
                yield Finding(f"{call['what']}() after the end is ignored", f"it raised {call['error']}")
        late = [call for call in vain if call["lost"] and call["what"] == "write"]
        if len(late) > 5 and not any(event.label == "WARNING" for event in history.of("logged")):
            yield Finding(
                "the log warns from the fifth write after the end on",
                f"there is no warning after {len(late)} writes",
            )


_KINDS = action("protocol", 0, st.sampled_from(["streaming", "buffered", "small buffer"]))


@rule(
    "TRN-09",
    "R",
    "a BufferedProtocol gets what comes in its own buffer, however small; set_protocol() works in "
    "mid-stream; a get_buffer that raises or returns nothing ends this connection and no other thing",
    source="asyncio-protocol docs, Buffered Streaming Protocols and BaseTransport.set_protocol",
    programs=st.one_of(
        conversations(
            reactions(("data_received", "connection_made"), [PEER_SENDS, _KINDS, PAUSE, RESUME]),
            events([PEER_SENDS, PEER_SENDS, _KINDS, WRITE]),
            before=several(_KINDS, 0, 1),
        ),
        conversations(
            reactions(("get_buffer", "data_received"), [FAIL], 0, 1),
            events([action("peer_send", 0, SMALL), LOOK]),
            before=several(action("protocol", 0, st.sampled_from(["buffered", "empty buffer"])), 1, 1),
        ),
    ),
)
def buffered_protocols(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    yield from arrivals(history)
    for label in connections(history):
        newest = 1
        for event in history.of("did", "told", label=label):
            if event["what"] == "set_protocol":
                newest = event["to"]
                if event["error"]:
                    yield Finding("set_protocol() is accepted", f"it raised {event['error']}")
            elif event["what"] == "data_received" and event["to"] != newest:
                yield Finding("data goes to the protocol that was set last", "it went to a former one")
        if history.of("raised"):
            failed = history.of("raised")[0].index
            for event in told(history, label, "data_received"):
                if event.index > failed:
                    yield Finding("nothing is heard after a callback raised", "data came")
