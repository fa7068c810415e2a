"""DGM: datagrams, whole and one by one."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..history import History
from ..program import Action, Program
from ..strategies import action, later, programs, several, soon
from ..vocabulary.datagrams import UDP_ENDPOINTS, UNIX_ENDPOINTS
from .queries import in_turns, runs_ended
from .rule import Finding, rule

_SIZES = st.one_of(st.integers(1, 300), st.sampled_from([1, 1472, 9000, 65_507]))
_OR_EMPTY = st.one_of(_SIZES, st.just(0))
# Before 3.13, sendto() of nothing sends nothing.
_SENDS = action("sendto", 0, _OR_EMPTY if sys.version_info >= (3, 13) else _SIZES)
_HEARS = action("datagram", 0, _OR_EMPTY)


def _exchanges(
    ways: Sequence[str], moves: Sequence[SearchStrategy[Action]] = (_SENDS, _HEARS)
) -> SearchStrategy[Program]:
    """Datagrams to and fro on an endpoint made in one of those ways; its peer goes first, or it does."""
    body = several(st.one_of(*moves), 1, 3)
    return programs(
        action("endpoint", 0, st.sampled_from(ways)).map(lambda made: (made,)),
        ("run",),
        several(st.one_of(soon(body), later(st.sampled_from([0, 1]))(body)), 1, 3),
        ("run",),
        ("take_datagrams", 0),
        st.sampled_from([(), (("no_peer", 0), ("sendto", 0, 5), ("run",))]),
        (("close_endpoint", 0), ("run",)),
    )


@rule(
    "DGM-01",
    "R",
    "datagrams keep their boundaries, empty and maximal ones too; who sends to nobody is told "
    "error_received, and not connection_lost",
    source="asyncio-protocol docs, Datagram Protocols and DatagramTransport.sendto; udp(7)",
    programs=_exchanges(UDP_ENDPOINTS),
)
def datagrams(history: History) -> Iterator[Finding]:
    yield from _made(history)
    told = history.of("told-datagram")
    sent = [event["size"] for event in history.of("datagram")]
    heard = [event["size"] for event in told if event["what"] == "datagram_received"]
    udp = {event.label for event in history.of("endpoint") if event["way"] in UDP_ENDPOINTS}
    for event in told:
        bound = event.label in udp and event["what"] == "connection_made"
        if bound and not event["at"].startswith("('127.0.0.1', "):
            yield Finding("the endpoint is bound to 127.0.0.1, its local_addr", f"it is at {event['at']}")
    if heard != sent:
        yield Finding(f"datagrams of {sent} bytes are received", f"they have {heard}")
    yield from _taken(history)
    if not all(event.get("intact", True) for event in [*told, *history.of("took-datagram")]):
        yield Finding("datagrams arrive as they were sent", "one is damaged")
    if not all(event.get("from_peer", True) for event in told):
        yield Finding("datagram_received gets the address of the sender", "it got another")
    closed = history.first("close-endpoint")
    for event in told:
        if event["what"] == "connection_lost":
            if closed is None or event.index < closed.index:
                yield Finding("the endpoint stays until it is closed", "connection_lost came before")
            if event["exception"] is not None:
                yield Finding("close() ends in connection_lost(None)", f"it got {event['exception']}")


def _made(history: History) -> Iterator[Finding]:
    for made in history.of("endpoint"):
        if made.get("error"):
            yield Finding("create_datagram_endpoint() succeeds", f"it raised {made['error']}")
    yield from runs_ended(history)
    for event in history.of("sendto"):
        if event["error"]:
            yield Finding("sendto() takes the datagram", f"it raised {event['error']}")


def _taken(history: History) -> Iterator[Finding]:
    meant = [event["size"] for event in history.of("sendto") if not event["gone"]]
    took = [event["size"] for event in history.of("took-datagram")]
    if took != meant:
        yield Finding(f"the peer receives datagrams of {meant} bytes", f"they have {took}")


_TAKE: Program = (("take_datagrams", 0),)
_BURST = action("burst", 0, st.integers(1, 40), st.sampled_from([1, 500, 3000]))
_CROWD = several(st.one_of(_BURST, _BURST, st.sampled_from(_TAKE)), 1, 3)


@rule(
    "DGM-03",
    "C",
    "datagrams that the socket has no room for are kept and sent in order, also after close(); "
    "pause_writing and resume_writing are told in turns, and what has been sent is no longer counted as kept",
    source="asyncio-protocol docs, Flow Control Callbacks, BaseTransport.close and DatagramTransport.sendto "
    "(3.13); unix(7)",
    programs=programs(
        (("endpoint", 0, "unix"), ("run",)),
        several(st.one_of(soon(_CROWD), later(st.sampled_from([0, 1]))(_CROWD)), 1, 3),
        (("run",), ("look_endpoint", 0)),
        st.sampled_from([(), (("close_endpoint", 0),)]),
        (("drain_datagrams", 0), ("run",), ("look_endpoint", 0)),
        (("close_endpoint", 0), ("run",)),
    ),
    needs="unix-datagrams",
)
def kept_datagrams(history: History) -> Iterator[Finding]:
    yield from _made(history)
    yield from _taken(history)
    turns = [
        event for event in history.of("told-datagram") if event["what"] in ("pause_writing", "resume_writing")
    ]
    yield from in_turns(turns)
    for look in history.of("looked-endpoint"):
        if not isinstance(look["size"], int) or not isinstance(look["limits"], list):
            continue
        told = [turn["what"] for turn in turns if turn.index < look.index]
        if look["owed"] and look["size"] > look["limits"][1] and told[-1:] != ["pause_writing"]:
            yield Finding(
                f"the protocol is paused with {look['size']} bytes kept and a high-water mark of "
                f"{look['limits'][1]}",
                "pause_writing was not called",
            )
        if not look["owed"] and look["size"]:
            yield Finding("no byte is kept when all is sent", f"get_write_buffer_size() is {look['size']}")
        if not look["owed"] and told[-1:] == ["pause_writing"]:
            yield Finding("the protocol is resumed when all is sent", "resume_writing was not called")


@rule(
    "DGM-04",
    "R",
    "an endpoint may be given a connected Unix socket, whether its peer has a name or not",
    source="asyncio-eventloop docs, loop.create_datagram_endpoint: family AF_UNIX, and sock; unix(7); "
    "uvloop #304",
    programs=_exchanges(UNIX_ENDPOINTS, [action("sendto", 0, _SIZES), action("datagram", 0, _SIZES)]),
    needs="unix-datagrams",
    cost=3,
)
def given_socket(history: History) -> Iterator[Finding]:
    yield from datagrams(history)
