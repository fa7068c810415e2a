"""TLS: bytes under it, how it ends, and who does not keep to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..conversations import (
    CLOSE,
    FAREWELL,
    PAUSE,
    PEER_READS,
    PEER_SENDS,
    PEER_TAKES,
    RESUME,
    WRITE,
    WRITE_ANY,
    events,
    reactions,
)
from ..history import Event, History
from ..program import Program
from ..strategies import joined, programs, several
from ..vocabulary.tls import MISFITS, RUDE, SILENT, SOUND, UPGRADES, WAYS
from .connections import arrivals, calls, connections, peers, told, undisturbed
from .queries import COARSE_S, LATE_S, runs_ended
from .rule import Finding, rule
from .transports import life_of_a_protocol

_EVENTLOOP_DOCS = "asyncio-eventloop docs, loop.create_connection, loop.create_server and loop.start_tls"
_PROTOCOL_DOCS = "asyncio-protocol docs"


def _linked(
    *manners: str, ways: Sequence[str] = WAYS, limits: Program = (), before: Program = ()
) -> SearchStrategy[Program]:
    """A connection to such a peer, in any of the ways that it fits into."""
    pairs = [(manner, way) for manner in manners for way in ways if (manner, way) not in _FITTING]
    return joined(
        before,
        st.sampled_from(pairs).map(lambda two: (("tls_peer", 0, two[0]), *limits, ("tls_link", 0, two[1]))),
        ("run",),
    )


_FITTING = {("wrong name", way) for way in (*WAYS, *UPGRADES) if "server" in way}
"""Misfits that are none: a server does not mind what its clients are called."""


def _tls_links(history: History) -> list[Event]:
    """The attempts to connect by TLS; programs may connect otherwise, too."""
    return [made for made in history.of("linked") if "manner" in made.data]


def is_connected(history: History) -> Iterator[Finding]:
    """The connections were made."""
    for made in _tls_links(history):
        error = made.get("error")
        if error or "not" in made["result"]:
            yield Finding(f"a TLS connection ({made['way']}) is made", f"{error or 'it never was'}")


_TALK = (
    reactions(("data_received", "resume_writing"), [WRITE_ANY]),
    events([WRITE_ANY, WRITE, PEER_SENDS, PEER_SENDS, PEER_TAKES, PEER_READS, PAUSE, RESUME]),
    several(WRITE_ANY, 0, 2),
    ("run",),
    FAREWELL,
)


@rule(
    "TLS-01",
    "R",
    "under TLS, bytes arrive complete and in order; what was written before close() goes out, then "
    "close_notify, then connection_lost(None) is told",
    source=f"{_EVENTLOOP_DOCS}; {_PROTOCOL_DOCS}, BaseTransport.close; CPython test_ssl",
    programs=programs(_linked(*SOUND), *_TALK),
    cost=2,
)
def bytes_arrive_under_tls(history: History) -> Iterator[Finding]:
    yield from is_connected(history)
    yield from runs_ended(history)
    yield from life_of_a_protocol(history)
    yield from arrivals(history)
    for label in connections(history):
        for lost in told(history, label, "connection_lost"):
            if lost["exception"] is not None:
                yield Finding("close() ends in connection_lost(None)", f"it got {lost['exception']}")
        for heard in peers(history, label, "heard"):
            if undisturbed(history, label) and heard["ended"] != "eof":
                seen = heard["ended"] or "the peer still waits"
                yield Finding("close() says close_notify before it closes the socket", seen)


_CERTIFICATE = ("SSLCertVerificationError",)
_BROKEN_OFF = (
    *("SSLError", "SSLEOFError", "OSError"),
    *("ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError"),
)
_REFUSED = {
    "wrong name": _CERTIFICATE,
    "unknown": _CERTIFICATE,
    "plain": ("SSLError",),
    "vanishing": _BROKEN_OFF,
    "resetting": _BROKEN_OFF,
    SILENT: ("ConnectionAbortedError", "TimeoutError"),
}
"""What the loop raises; of those that go, what the kernel makes of it."""
_LOOK_BEFORE: Program = (
    # What a loop opens with its first connection, for good, is open before the first look.
    *(("link", 1, "unix"), ("run",), ("peer_close", 1), ("run",)),
    ("measure", "before"),
)
_LOOK_AFTER: Program = (("peer_close", 0), ("run",), ("measure", "after"))


@rule(
    "TLS-02",
    "C",
    "a certificate that is not right, a peer that speaks no TLS or vanishes in the handshake is one clear "
    "error: no connection is made, and nothing stays open",
    source="CPython test_ssl and sslproto",
    programs=programs(_linked(*MISFITS, before=_LOOK_BEFORE), _LOOK_AFTER),
    cost=2,
)
def misfits_are_refused(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for made in _tls_links(history):
        name = str(made.get("error") or made["result"]).partition(":")[0].strip("'")
        wanted = _REFUSED.get(made["manner"], ("connected",))
        if made["way"] == "server":
            wanted = ("not connected",)
        elif made["way"] == "start_tls server":  # what it is told of why
            wanted = _BROKEN_OFF
        if name not in wanted:
            yield Finding(f"{made['way']}, {made['manner']}: {' or '.join(wanted)}", f"{name}")
    # After start_tls there is a protocol that was connected before: it may be told connection_lost.
    for event in told(history, "0", "connection_made", "data_received", "eof_received"):
        yield Finding("the protocol of a connection that is never made hears nothing", f"{event['what']}")
    before, after = (history.first("measured", name) for name in ("before", "after"))
    if before and after and "fds" in after.data and after["fds"] > before["fds"]:
        more = after["fds"] - before["fds"]
        yield Finding("nothing stays open after a handshake that failed", f"{more} more descriptors are open")


_HANDSHAKE_MS, _SHUTDOWN_MS = 80, 60
_LIMITS: Program = (("tls_limits", 0, _HANDSHAKE_MS, _SHUTDOWN_MS),)


@rule(
    "TLS-03",
    "R",
    "a handshake that takes longer than ssl_handshake_timeout is given up, and one that is done is not",
    source=f"{_EVENTLOOP_DOCS}: ssl_handshake_timeout",
    programs=st.one_of(
        programs(_linked(SILENT, limits=_LIMITS)),
        programs(
            _linked(*SOUND, limits=_LIMITS), ("later", None, _HANDSHAKE_MS + 20, ()), ("run",), ("look", 0)
        ),
    ),
    timed=True,
    cost=4,
)
def handshakes_are_given_up(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for made in _tls_links(history):
        if made["manner"] == SILENT:
            yield from _given_up(history, made)
        elif told(history, made.label, "connection_lost"):
            yield Finding("a connection outlives the time limit of its handshake", "it was lost")


def _given_up(history: History, made: Event) -> Iterator[Finding]:
    runs = [run.at for run in history.of("run") if run.index < made.index]
    limit_s, took_s = _HANDSHAKE_MS / 1000, made.at - runs[-1]
    wanted = f"a handshake without an answer ends after {limit_s:g} s"
    if not made.get("error") and "not" not in made["result"]:
        yield Finding(wanted, "it succeeded")
    elif took_s < limit_s - COARSE_S:
        yield Finding(f"a handshake may take {limit_s:g} s", f"it was given up after {took_s:.3f} s")
    elif took_s > limit_s + LATE_S * history.tolerance:
        yield Finding(wanted, f"it ended after {took_s:.3f} s")


@rule(
    "TLS-04",
    "R",
    "a peer that does not answer close_notify is given up after ssl_shutdown_timeout, and not before",
    source=f"{_EVENTLOOP_DOCS}: ssl_shutdown_timeout",
    programs=programs(
        _linked(RUDE, limits=_LIMITS),
        several(st.one_of(WRITE, PEER_TAKES), 0, 2),
        (("peer_reads", 0), ("run",), ("close_link", 0), ("run",)),
    ),
    timed=True,
    cost=4,
)
def shutdowns_are_given_up(history: History) -> Iterator[Finding]:
    yield from is_connected(history)
    yield from runs_ended(history)
    limit_s = _SHUTDOWN_MS / 1000
    for label in connections(history):
        for close in calls(history, label, "close"):
            lost = told(history, label, "connection_lost")
            late_s = lost[0].at - close.at if lost else None
            if late_s is None or late_s > limit_s + LATE_S * history.tolerance:
                seen = "it never came" if late_s is None else f"it came after {late_s:.3f} s"
                yield Finding(f"connection_lost comes {limit_s:g} s after close()", seen)
            elif late_s < limit_s - COARSE_S:
                yield Finding(
                    f"the peer has {limit_s:g} s to answer", f"connection_lost came after {late_s:.3f} s"
                )


_ENDING = programs(
    _linked(*SOUND),
    reactions(("data_received", "resume_writing"), [WRITE, CLOSE, PEER_SENDS]),
    events([WRITE, WRITE, CLOSE, PEER_SENDS, PEER_SENDS, PEER_READS, PAUSE]),
    ("run",),
    FAREWELL,
)


@rule(
    "TLS-05",
    "R",
    "close() sends all that was written before it, though the peer goes on sending, and tells "
    "connection_lost(None)",
    source=f"{_PROTOCOL_DOCS}, BaseTransport.close",
    programs=_ENDING,
    cost=2,
)
def close_flushes_under_tls(history: History) -> Iterator[Finding]:
    yield from is_connected(history)
    yield from runs_ended(history)
    yield from arrivals(history)
    for label in connections(history):
        for lost in told(history, label, "connection_lost"):
            if lost["exception"] is not None:
                yield Finding("close() ends in connection_lost(None)", f"it got {lost['exception']}")


@rule(
    "TLS-06",
    "R",
    "under TLS, no data is delivered after close()",
    source=f"{_PROTOCOL_DOCS}, BaseTransport.close: no more data will be received",
    programs=_ENDING,
    cost=2,
)
def silence_after_close_under_tls(history: History) -> Iterator[Finding]:
    yield from is_connected(history)
    for label in connections(history):
        for close in calls(history, label, "close")[:1]:
            for event in told(history, label, "data_received"):
                if event.index > close.index:
                    yield Finding("no data is delivered after close()", "data_received came after it")


_TRAILING = (
    _linked(*SOUND),
    events([PEER_SENDS, PEER_SENDS, PAUSE, RESUME], 0, 2),
    ("run",),
    several(st.one_of(PEER_SENDS, PAUSE), 0, 3),
)
_TO_THE_END: Program = (("run",), ("resume_reading", 0), ("run",), ("peer_close", 0), ("run",))


@rule(
    "TLS-07",
    "R",
    "what the peer sent before its close_notify is delivered, then eof_received and connection_lost are told",
    source=f"{_PROTOCOL_DOCS}, Protocol.eof_received; CPython test_ssl",
    programs=programs(*_TRAILING, ("peer_eof", 0), *_TO_THE_END),
    cost=2,
)
def the_peers_end(history: History) -> Iterator[Finding]:
    yield from is_connected(history)
    yield from runs_ended(history)
    yield from life_of_a_protocol(history)
    yield from arrivals(history)
    for label in connections(history):
        sent = max((event["total"] for event in peers(history, label, "sent")), default=0)
        heard = max((event["total"] for event in told(history, label, "data_received")), default=0)
        if heard != sent:
            yield Finding(f"all {sent} bytes that the peer sent are delivered", f"{heard} were")
        if not told(history, label, "connection_lost"):
            yield Finding("connection_lost is told when the peer has gone", "it never was")
        if peers(history, label, "eof") and not told(history, label, "eof_received"):
            yield Finding("eof_received is told after close_notify", "it never was")


@rule(
    "TLS-08",
    "R",
    "get_extra_info tells ssl_object, sslcontext, cipher, peercert and socket of a connection under TLS",
    source=f"{_PROTOCOL_DOCS}, BaseTransport.get_extra_info",
    programs=programs(_linked(*SOUND)),
    cost=6,
)
def what_is_told_of_tls(history: History) -> Iterator[Finding]:
    yield from is_connected(history)
    for made in _tls_links(history):
        said = made["said"]
        if made.get("error") or not said:
            continue
        if not said["cipher"]:
            yield Finding("cipher is what ssl_object.cipher() returns", "it is something else")
        if said["sslcontext"] != "SSLContext":
            yield Finding("sslcontext is an SSLContext", f"it is a {said['sslcontext']}")
        if "server" not in made["way"] and said["names"] != ["localhost"]:
            yield Finding("peercert has the names of the peer's certificate", f"it has {said['names']}")
        if not said["socket"]:
            yield Finding("socket is there", "it is None")


@rule(
    "TLS-09",
    "C",
    "what a peer sent before it went without close_notify is delivered, then connection_lost is told",
    source="CPython sslproto.SSLProtocol.eof_received; asyncio-protocol docs, ReadTransport.pause_reading",
    programs=programs(*_TRAILING, ("peer_close", 0), *_TO_THE_END[:3]),
    cost=2,
)
def the_peer_goes_without_a_word(history: History) -> Iterator[Finding]:
    yield from the_peers_end(history)


@rule(
    "TLS-10",
    "R",
    "start_tls turns a plain connection into one under TLS, on either side: bytes arrive complete and in "
    "order, and close() ends it as any other",
    source="asyncio-eventloop docs, loop.start_tls; CPython test_sslproto",
    programs=programs(_linked(*SOUND, ways=UPGRADES), *_TALK),
    cost=2,
)
def start_tls_upgrades(history: History) -> Iterator[Finding]:
    yield from bytes_arrive_under_tls(history)


@rule(
    "TLS-11",
    "C",
    "start_tls with a peer that is not right, or silent for longer than ssl_handshake_timeout, raises one "
    "clear error, and nothing stays open",
    source="asyncio-eventloop docs, loop.start_tls; CPython test_sslproto",
    programs=programs(
        _linked(*MISFITS, SILENT, ways=UPGRADES, limits=_LIMITS, before=_LOOK_BEFORE), _LOOK_AFTER
    ),
    timed=True,
    cost=4,
)
def start_tls_refuses_misfits(history: History) -> Iterator[Finding]:
    yield from misfits_are_refused(history)
    for made in _tls_links(history):
        if made["manner"] == SILENT:
            yield from _given_up(history, made)
