"""SRV: servers, from the first client to the last."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..history import Event, History
from ..program import Action, Program
from ..strategies import Body, action, joined, later, programs, several, soon
from ..vocabulary.servers import SERVER_CALLS
from .connections import arrivals, connections, peers, told
from .queries import runs_ended
from .rule import Finding, rule

_DOCS = "asyncio-eventloop docs"
_CLIENTS = 5
_AWAITS_CONNECTIONS = sys.version_info >= (3, 12, 1)
_CLOSES_CLIENTS = hasattr(asyncio.AbstractServer, "close_clients")
_CALLS = [call for call in SERVER_CALLS if _CLOSES_CLIENTS or not call.endswith("_clients")]

_NUMBERS = st.integers(1, _CLIENTS)
_CLIENT = st.tuples(st.just("client"), st.just(0), _NUMBERS)
_CALL = action("server", 0, st.sampled_from([*_CALLS, "close", "start_serving"]))
_TRAFFIC = st.one_of(
    action("peer_send", _NUMBERS, st.integers(1, 300)),
    action("write", _NUMBERS, st.integers(1, 300)),
    action("close_link", _NUMBERS),
    action("peer_close", _NUMBERS),
)


def _farewell(wait: str = "wait_closed") -> Program:
    every = range(1, _CLIENTS + 1)
    return (
        ("run",),
        ("server", 0, "close"),
        ("server", 0, wait),
        ("run",),
        *(("peer_reads", number) for number in every),
        *(("close_link", number) for number in every),
        ("run",),
        *(("hear", number) for number in every),
    )


def _served(place: str | SearchStrategy[str], *parts: Body | Action) -> SearchStrategy[Program]:
    """Whole programs: a server, what happens on it, and its end."""
    return programs(action("serve", 0, place).map(lambda made: (made,)), ("run",), *parts, _farewell())


def _moves(*moves: SearchStrategy[Action], most: int = 4) -> Body:
    body = several(st.one_of(*moves), 1, 3)
    return several(st.one_of(soon(body), later(st.sampled_from([0, 1, 2]))(body)), 1, most)


def _served_at_all(history: History) -> Iterator[Finding]:
    for served in history.of("served"):
        if served.get("error"):
            yield Finding("the server is created", f"it raised {served['error']}")
    yield from runs_ended(history)
    yield from arrivals(history)


def _ended(history: History, *calls: str) -> list[Event]:
    return [event for event in history.of("server-ended") if event["call"] in calls]


@rule(
    "SRV-01",
    "R",
    "a server accepts while it is serving, from start_serving() to close(), which leaves its connections "
    "alone; wait_closed() returns after the last one, close_clients() and abort_clients() end them",
    source=f"{_DOCS}, Server Objects; CPython test_server; gh-79033, gh-109564",
    programs=_served(
        st.sampled_from(["tcp", "tcp", "tcp not yet"]), _moves(_CLIENT, _CLIENT, _CALL, _TRAFFIC)
    ),
)
def servers(history: History) -> Iterator[Finding]:
    yield from _served_at_all(history)
    for client in history.of("client"):
        made = told(history, client.label, "connection_made")
        if client["serving"] and client["error"]:
            yield Finding("a client can connect while the server is serving", f"it got {client['error']}")
        if made and not client["serving"] and not _starts(history):
            yield Finding("nobody is accepted before start_serving()", "a connection was made")
    for call in history.of("server-did"):
        if call["error"]:
            yield Finding(f"{call['what']}() is accepted", f"it raised {call['error']}")
    closes = [call for call in history.of("server-did") if call["what"] == "close"]
    for call in closes[:1]:
        left = any(end.index < call.index for end in _ended(history, "async with"))
        # What start_serving() does to a closed server is left open.
        if not left and (call["serving"] or call["sockets"]):
            yield Finding(
                "a closed server is not serving and has no sockets",
                f"is_serving() is {call['serving']}, and it has {call['sockets']} sockets",
            )
    yield from _connections_stay(history)
    yield from _waits(history)


def _starts(history: History) -> bool:
    """Whether the program makes it serve at some time, one way or another."""
    starting = ("start_serving", "serve_forever", "async with")
    return any(call[2] in starting for call in history.actions("server"))


def _connections_stay(history: History) -> Iterator[Finding]:
    closers = [e for e in history.of("server-did") if e["what"] in ("close_clients", "abort_clients")]
    for label in connections(history):
        for lost in told(history, label, "connection_lost"):
            own = [e for e in history.of("did", label=label) if e["what"] == "close"]
            causes = [*closers, *own, *peers(history, label, "closed", "reset", "eof")]
            if not any(cause.index < lost.index for cause in causes):
                yield Finding("close() of a server leaves its connections alone", "one was lost by it")


def _waits(history: History) -> Iterator[Finding]:
    closed = [e.index for e in history.of("server-did") if e["what"] == "close"]
    closed += [0 for act in history.actions("server") if act[2] == "async with"]
    for end in _ended(history, "wait_closed"):
        if end.get("error"):
            yield Finding("wait_closed() returns", f"it raised {end['error']}")
        if not any(index < end.index for index in closed):
            yield Finding("wait_closed() waits for close()", "it returned before")
        alive = [
            label
            for label in connections(history)
            if told(history, label, "connection_made")[:1]
            and told(history, label, "connection_made")[0].index < end.index
            and not any(lost.index < end.index for lost in told(history, label, "connection_lost"))
        ]
        if alive and _AWAITS_CONNECTIONS:
            yield Finding("wait_closed() waits for the last connection", "it returned before")
    for end in _ended(history, "serve_forever"):
        refused = str(end.get("error")).startswith("RuntimeError")
        if not refused and not str(end.get("error")).startswith("CancelledError"):
            yield Finding("serve_forever() is cancelled by close()", f"it gave {end.get('error')}")


@rule(
    "SRV-02",
    "C",
    "a server that runs out of file descriptors neither spins nor dies: the client stays connected and is "
    "served when there are some again",
    source="CPython test_selector_events, accept with EMFILE; accept(2)",
    programs=programs(
        st.just((("serve", 0, "tcp"), ("run",))),
        several(
            soon(
                joined(
                    st.lists(_CLIENT, min_size=1, max_size=3, unique=True).map(tuple),
                    ("starve",),
                    st.integers(150, 250).map(lambda ms: (("later", "fed", ms, (("feed",),)),)),
                )
            ),
            1,
            1,
        ),
        _farewell(),
    ),
    timed=True,
    cost=20,
    needs="descriptors",
)
def out_of_files(history: History) -> Iterator[Finding]:
    yield from _served_at_all(history)
    starved, fed = history.first("starved"), history.first("fed")
    if starved and fed:
        busy, elapsed = fed["cpu_s"] - starved["cpu_s"], fed.at - starved.at
        if busy > 0.2 * elapsed:
            yield Finding(
                "the loop sleeps while it is out of files",
                f"it used {busy * 1000:.0f} ms of CPU in {elapsed * 1000:.0f} ms",
            )
    for client in history.of("client"):
        if not client["error"] and not told(history, client.label, "connection_made"):
            yield Finding(f"connection {client.label} is accepted in the end", "it never was")


def _ticking(depth: int) -> Program:
    """Callbacks that schedule one another: each runs in an iteration of its own."""
    return (("soon", None, _ticking(depth - 1) if depth else ()),)


@rule(
    "SRV-03",
    "C",
    "connections that are pending together are accepted in one iteration",
    source="bpo-27906",
    programs=_served(
        "tcp",
        st.integers(4, _CLIENTS).map(
            lambda count: (
                ("soon", None, (*(("client", 0, number) for number in range(1, count + 1)), *_ticking(14))),
            )
        ),
    ),
    cost=5,
)
def accepted_together(history: History) -> Iterator[Finding]:
    yield from _served_at_all(history)
    made = [event.index for event in history.of("told") if event["what"] == "connection_made"]
    ticks = [event.index for event in history.of("begin")]
    if made and len(made) >= 4:
        between = sum(made[0] < tick < made[-1] for tick in ticks)
        if between >= len(made) - 1:
            yield Finding(
                f"{len(made)} pending connections are accepted together",
                f"{between} iterations passed from the first to the last",
            )


@rule(
    "SRV-04",
    "R",
    "a server listens on a path, replacing a stale socket file, or on an abstract name; "
    "close() removes the file (3.13)",
    source=f"{_DOCS}, loop.create_unix_server (cleanup_socket since 3.13); CPython test_server",
    programs=_served(
        st.sampled_from(["path", "stale path", *(["abstract"] if sys.platform == "linux" else [])]),
        several(_CLIENT, 1, 2),
        ("run",),
        _moves(_TRAFFIC, _CLIENT, most=2),
    ),
    needs="descriptors",
    cost=2,
)
def unix_servers(history: History) -> Iterator[Finding]:
    yield from _served_at_all(history)
    for client in history.of("client"):
        if client["serving"] and client["error"]:
            yield Finding("a client can connect to the path", f"it got {client['error']}")
    for call in history.of("server-did"):
        gone: Any = sys.version_info < (3, 13) or not call["file"]
        if call["what"] == "close" and not gone:
            yield Finding("close() removes the socket file", "it is still there")


@rule(
    "SRV-05",
    "C",
    "a protocol factory that raises costs its own connection, and no other",
    source="CPython selector_events._accept_connection2; MagicStack/uvloop, a dead server after one error",
    programs=_served(
        "tcp",
        action("factory_fails", 0, st.integers(1, 2)).map(lambda made: (made,)),
        several(_CLIENT, 2, 4),
        ("run",),
        several(_CLIENT, 1, 3),
    ),
    cost=2,
)
def failing_factory(history: History) -> Iterator[Finding]:
    yield from _served_at_all(history)
    refused = {event.label for event in history.of("refused")}
    for client in history.of("client"):
        if client["error"]:
            yield Finding("clients can still connect", f"one got {client['error']}")
        elif client.label not in refused and not told(history, client.label, "connection_made"):
            yield Finding("the server accepts the connections that follow", "one was not made")
