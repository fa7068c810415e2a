"""DGM: datagrams, whole and one by one."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import action, later, programs, several, soon
from .queries import runs_ended
from .rule import Finding, rule

_SIZES = st.one_of(st.integers(1, 300), st.sampled_from([1, 1472, 9000, 65_507]))
_OR_EMPTY = st.one_of(_SIZES, st.just(0))
# Before 3.13, sendto() of nothing sends nothing.
_SENDS = action("sendto", 0, _OR_EMPTY if sys.version_info >= (3, 13) else _SIZES)
_HEARS = action("datagram", 0, _OR_EMPTY)
_MOVES = several(st.one_of(_SENDS, _HEARS), 1, 3)


@rule(
    "DGM-01",
    "R",
    "datagrams keep their boundaries, empty and maximal ones too; who sends to nobody is told "
    "error_received, and not connection_lost",
    source="asyncio-protocol docs, Datagram Protocols and DatagramTransport.sendto; udp(7)",
    programs=programs(
        action("endpoint", 0, st.sampled_from(["bound", "connected"])).map(lambda made: (made,)),
        ("run",),
        several(st.one_of(soon(_MOVES), later(st.sampled_from([0, 1]))(_MOVES)), 1, 3),
        ("run",),
        ("take_datagrams", 0),
        st.sampled_from([(), (("no_peer", 0), ("sendto", 0, 5), ("run",))]),
        (("close_endpoint", 0), ("run",)),
    ),
)
def datagrams(history: History) -> Iterator[Finding]:
    for made in history.of("endpoint"):
        if made.get("error"):
            yield Finding("create_datagram_endpoint() succeeds", f"it raised {made['error']}")
    yield from runs_ended(history)
    for event in history.of("sendto"):
        if event["error"]:
            yield Finding("sendto() takes the datagram", f"it raised {event['error']}")
    told = history.of("told-datagram")
    sent = [event["size"] for event in history.of("datagram")]
    heard = [event["size"] for event in told if event["what"] == "datagram_received"]
    if heard != sent:
        yield Finding(f"datagrams of {sent} bytes are received", f"they have {heard}")
    meant = [event["size"] for event in history.of("sendto") if not event["gone"]]
    took = [event["size"] for event in history.of("took-datagram")]
    if took != meant:
        yield Finding(f"the peer receives datagrams of {meant} bytes", f"they have {took}")
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
