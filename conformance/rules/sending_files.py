"""TRN: what a transport says of itself, and files that are sent through it."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..conversations import LOOK, PEER_SENDS, SMALL, WRITE, conversations, events
from ..history import History
from ..strategies import action, programs, several, soon
from ..vocabulary.sock_files import SOURCES
from .connections import arrivals, connected, connections
from .queries import runs_ended
from .rule import Finding, rule


@rule(
    "TRN-10",
    "R",
    "get_extra_info() knows socket, sockname and peername, and gives the default for what there is not",
    source="asyncio-protocol docs, BaseTransport.get_extra_info",
    programs=conversations(
        ("look", 0),
        events([LOOK, PEER_SENDS, WRITE], 0, 2),
        made=several(LOOK, 1, 1),
        farewell=(("look", 0),),
    ),
    cost=2,
)
def extra_info(history: History) -> Iterator[Finding]:
    yield from connected(history)
    for look in history.of("looked"):
        if look["lost"] or look["closing"] is not False:
            continue
        wanted = {"socket": "an open socket", "sslcontext": "None", "unknown": "42"}
        if look["way"] != "unix" and look["names"]:
            wanted["sockname"], wanted["peername"] = look["names"]
        for name, value in wanted.items():
            if look[name] != value:
                yield Finding(f"get_extra_info({name!r}) is {value}", f"it is {look[name]}")
        if not isinstance(look["reading"], bool):
            yield Finding("is_reading() tells whether data would come", f"it gave {look['reading']}")


_SIZES = st.sampled_from([0, 1, 5000, 65_536, 300_001])
_OFFSETS = st.sampled_from([0, 0, 1, 4096, 400_000])
_COUNTS = st.sampled_from([0, 0, 1, 5000, 100_000])
_FILE = action("sendfile", 0, _SIZES, _OFFSETS, _COUNTS, st.sampled_from(["native", "fallback"]))


@rule(
    "TRN-11",
    "R",
    "loop.sendfile() sends the file from the offset, as many bytes as asked for, after what was written "
    "before; it returns their number and leaves the file's position behind them",
    source="asyncio-eventloop docs, loop.sendfile",
    programs=conversations(
        several(WRITE, 0, 2),
        ("peer_reads", 0),
        several(_FILE, 1, 1),
        several(PEER_SENDS, 0, 1),
        ("run",),
        several(st.one_of(WRITE, action("write", 0, SMALL)), 0, 2),
        several(_FILE, 0, 1),
    ),
)
def files_sent(history: History) -> Iterator[Finding]:
    yield from connected(history)
    yield from runs_ended(history)
    for sent in history.of("sent-file"):
        if sent.get("error"):
            yield Finding(f"sendfile() sends {sent['promised']} bytes", f"it raised {sent['error']}")
            continue
        if sent["result"] != repr(sent["promised"]):
            yield Finding(f"sendfile() returns {sent['promised']}", f"it returned {sent['result']}")
        end = sent["offset"] + sent["promised"]
        if sent["promised"] and sent["seen"].get("position") != end:
            yield Finding(f"the file's position is {end}", f"it is {sent['seen'].get('position')}")
    yield from arrivals(history)
    for label in connections(history):
        required = max((sent["start"] + sent["promised"] for sent in history.of("sent-file")), default=0)
        for heard in (event for event in history.of("peer", label=label) if event["what"] == "heard"):
            if heard["total"] < required:
                yield Finding(f"the peer gets {required} bytes", f"it got {heard['total']}")


@rule(
    "TRN-12",
    "R",
    "loop.sock_sendfile() sends the file from the offset, as many bytes as asked for, and leaves the file's "
    "position behind them; without a fallback it raises SendfileNotAvailableError where it must",
    source="asyncio-eventloop docs, loop.sock_sendfile; CPython test_sendfile",
    programs=programs(
        several(soon(several(soon(), 0, 2)), 0, 2),
        several(action("sock_sendfile", _SIZES, _OFFSETS, _COUNTS, st.sampled_from(SOURCES)), 1, 2),
    ),
    cost=2,
)
def files_sent_through_sockets(history: History) -> Iterator[Finding]:
    for sent in history.of("sock-sent-file"):
        refused = str(sent["error"]).startswith("SendfileNotAvailableError")
        if refused and "native" in sent.label and not sent["total"]:
            continue
        if sent["error"]:
            yield Finding(f"sock_sendfile() sends {sent['promised']} bytes", f"it raised {sent['error']}")
            continue
        if sent["result"] != sent["promised"]:
            yield Finding(f"sock_sendfile() returns {sent['promised']}", f"it returned {sent['result']}")
        if sent["total"] != sent["promised"]:
            yield Finding(f"the peer gets {sent['promised']} bytes", f"it got {sent['total']}")
        if sent["wrong_at"] is not None:
            yield Finding(
                "the peer gets the bytes of the file from the offset",
                f"the byte at {sent['wrong_at']} is another one",
            )
        end = sent["offset"] + sent["promised"]
        if sent["promised"] and sent["position"] != end:
            yield Finding(f"the file's position is {end}", f"it is {sent['position']}")
