"""TRN: what a protocol is told of its connection, and what becomes of the bytes."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..conversations import (
    ABORT,
    CLOSE,
    FAIL,
    LOOK,
    PAUSE,
    PEER_ENDS,
    PEER_LEAVES,
    PEER_READS,
    PEER_SENDS,
    PEER_TAKES,
    RESUME,
    WRITE,
    WRITE_ANY,
    WRITE_EOF,
    conversations,
    events,
    reactions,
)
from ..history import History
from ..strategies import several
from .connections import arrivals, calls, connected, connections, peers, told
from .queries import runs_ended
from .rule import Finding, rule

_PROTOCOL_DOCS = "asyncio-protocol docs"
_LIVELY = ("connection_made", "data_received", "eof_received", "pause_writing")
"""Not resume_writing, which comes after close() too: what write() does then is for TRN-07."""


_MISCHIEF = [
    *(WRITE, WRITE, PAUSE, RESUME, WRITE_EOF, CLOSE, ABORT),
    *(PEER_SENDS, PEER_SENDS, PEER_TAKES, PEER_READS, PEER_ENDS, PEER_LEAVES),
]
_ENDS = [CLOSE, ABORT, ABORT, WRITE, PEER_SENDS]
"""Closed and aborted, and not for the first time."""


@rule(
    "TRN-01",
    "R",
    "a protocol is told connection_made, data, at most one eof_received and connection_lost, once each, "
    "and never connection_lost inside the call that caused it",
    source=f"{_PROTOCOL_DOCS}, Base Protocol and Streaming Protocols; PEP 3156; gh-136234",
    programs=st.one_of(
        conversations(events(_MISCHIEF), reactions(_LIVELY, _MISCHIEF)),
        conversations(events(_ENDS, 1, 2), reactions(_LIVELY, _ENDS)),
        conversations(reactions(("data_received",), [FAIL], 1, 1), several(PEER_SENDS, 1, 2)),
        conversations(reactions(("data_received", "eof_received"), [FAIL, CLOSE], 1), events(_MISCHIEF)),
    ),
)
def life_of_a_protocol(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    for label in connections(history):
        names = [event["what"] for event in told(history, label)]
        for once in ("connection_made", "connection_lost", "eof_received"):
            if names.count(once) > 1:
                yield Finding(f"{once} is told once", f"it was told {names.count(once)} times")
        if names and names[0] != "connection_made":
            yield Finding("connection_made comes first", f"{names[0]} came first")
        if "connection_lost" in names[:-1]:
            after = names[names.index("connection_lost") + 1]
            yield Finding("connection_lost comes last", f"{after} came after it")
        for event in told(history, label, "connection_lost"):
            if event["during"]:
                yield Finding(
                    f"connection_lost is never called by {event['during'][0]}() itself",
                    f"{event['during'][0]}() called it before it returned",
                )
        if calls(history, label, "close", "abort") and "connection_lost" not in names:
            yield Finding("connection_lost is told after close() or abort()", "it never was")


@rule(
    "TRN-02",
    "R",
    "no data is delivered after eof_received, close() or abort()",
    source=f"{_PROTOCOL_DOCS}, BaseTransport.close: no more data will be received; Protocol.eof_received",
    programs=conversations(
        reactions(("data_received", "connection_made"), [CLOSE, ABORT, PEER_SENDS], 0, 2),
        events([PEER_SENDS, PEER_SENDS, CLOSE, ABORT, PEER_ENDS, WRITE]),
    ),
)
def silence_after_the_end(history: History) -> Iterator[Finding]:
    yield from connected(history)
    for label in connections(history):
        ends = [*told(history, label, "eof_received"), *calls(history, label, "close", "abort")]
        if not ends:
            continue
        end = min(ends, key=lambda event: event.index)
        for event in told(history, label, "data_received", "eof_received"):
            if event.index > end.index:
                yield Finding(f"nothing is heard after {end['what']}", f"{event['what']} came after it")


@rule(
    "TRN-03",
    "R",
    "bytes arrive complete and in order, however they are split into writes, in a buffer of any type; "
    "changing a bytearray after write() changes nothing",
    source=f"{_PROTOCOL_DOCS}, WriteTransport.write and writelines; PEP 3156",
    programs=conversations(
        reactions(("data_received", "resume_writing"), [WRITE_ANY]),
        events([WRITE_ANY, WRITE_ANY, PEER_SENDS, PEER_TAKES, PEER_READS]),
        several(WRITE_ANY, 0, 2),
    ),
)
def bytes_arrive(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    for label in connections(history):
        for call in calls(history, label, "write", "writelines"):
            if call["error"] and not call["left"] and not call["lost"]:
                yield Finding(f"{call['what']}() takes what is written", f"it raised {call['error']}")
    yield from arrivals(history)


@rule(
    "TRN-05",
    "R",
    "close() sends what is buffered, then tells connection_lost(None); abort() drops it",
    source=f"{_PROTOCOL_DOCS}, BaseTransport.close and WriteTransport.abort; gh-115514",
    programs=conversations(
        several(WRITE, 1, 3),
        events([WRITE, CLOSE, CLOSE, ABORT, PEER_TAKES, PEER_READS, PEER_SENDS], 0, 3),
        reactions(("connection_made", "pause_writing", "resume_writing", "data_received"), [CLOSE, ABORT]),
    ),
)
def close_flushes(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    yield from arrivals(history)
    for label in connections(history):
        for lost in told(history, label, "connection_lost"):
            own = [c for c in calls(history, label, "close", "abort") if c.index < lost.index]
            if own and not peers(history, label, "closed", "reset") and lost["exception"] is not None:
                yield Finding(
                    f"{own[0]['what']}() ends in connection_lost(None)", f"it got {lost['exception']}"
                )
            if not own and not peers(history, label, "closed", "reset", "eof"):
                yield Finding("the connection stays until somebody ends it", "connection_lost came unasked")
        for heard in peers(history, label, "heard"):
            if told(history, label, "connection_lost") and not heard["ended"]:
                yield Finding("the socket is closed with the connection", "the peer still waits for more")
        for call in calls(history, label, "close", "abort"):
            if not call["closing"]:
                yield Finding(f"is_closing() is true after {call['what']}()", f"it is {call['closing']!r}")


@rule(
    "TRN-08",
    "R",
    "write_eof() sends what is buffered first and leaves the other direction open; "
    "a true result of eof_received keeps the transport open",
    source=f"{_PROTOCOL_DOCS}, WriteTransport.write_eof and Protocol.eof_received",
    programs=conversations(
        st.lists(st.just(("keep_open", 0)), max_size=1).map(tuple),
        several(WRITE, 0, 2),
        reactions(("eof_received",), [WRITE, LOOK]),
        events([WRITE, WRITE_EOF, PEER_ENDS, PEER_SENDS, PEER_READS, LOOK]),
        ("look", 0),
    ),
)
def half_closed(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    yield from arrivals(history)
    for label in connections(history):
        lost = told(history, label, "connection_lost")
        closes = calls(history, label, "close", "abort")
        for end in told(history, label, "eof_received"):
            asked = [call for call in closes if call.index < end.index]
            if not end["kept"] and not lost:
                yield Finding("a false result of eof_received closes the transport", "it stays open")
            if end["kept"] and not asked and lost and not any(c.index < lost[0].index for c in closes):
                yield Finding("a true result of eof_received keeps the transport open", "it was closed")
        ends = calls(history, label, "write_eof")
        for end in ends:
            if end["error"] and not end["left"] and not end["lost"]:
                yield Finding("write_eof() is accepted", f"it raised {end['error']}")
        for call in calls(history, label, "write"):
            late = ends and call.index > ends[0].index and not ends[0]["left"]
            refused = str(call["error"]).startswith("RuntimeError")
            if late and call["count"] and not refused and not call["left"] and not call["lost"]:
                yield Finding("write() after write_eof() raises RuntimeError", f"it gave {call['error']}")


@rule(
    "TRN-13",
    "C",
    "a data_received or eof_received that raises ends its connection: the exception handler is told, and "
    "connection_lost gets the exception",
    source="CPython selector_events._SelectorTransport._fatal_error; CPython test_selector_events",
    programs=conversations(
        reactions(("data_received", "eof_received"), [FAIL], 1, 2),
        events([PEER_SENDS, PEER_SENDS, PEER_ENDS, WRITE]),
    ),
    cost=2,
)
def failures_are_told(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    raised = history.first("raised")
    if raised is None:
        return
    for label in connections(history):
        lost = told(history, label, "connection_lost")
        own = [call for call in calls(history, label, "close", "abort") if call.index < raised.index]
        if own or any(event.index < raised.index for event in lost):
            continue
        if not lost or "ValueError" not in str(lost[0]["exception"]):
            seen = f"it got {lost[0]['exception']}" if lost else "it never came"
            yield Finding("connection_lost gets the exception of the protocol", seen)
        # A handler that is called in its own way is a matter of EXC-01.
        if not any(e["arguments"] != 2 or e["exception"] == "ValueError" for e in history.of("handled")):
            yield Finding("the exception handler is told what the protocol raised", "it was not")
