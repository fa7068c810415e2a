"""TRN, SRV, DGM: arguments that contradict each other, and servers that are closed, are refused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..history import History
from ..program import Action
from ..strategies import action, programs, several, soon
from ..vocabulary.contradictions import (
    AFTERWARDS,
    CONNECTIONS,
    CONTRADICTIONS,
    DATAGRAMS,
    SERVERS,
    Contradiction,
)
from .rule import Finding, rule

_MEANWHILE = several(soon(), 0, 1)


def refused(history: History) -> Iterator[Finding]:
    """Each contradiction raised the error that is its due."""
    for event in history.of("contradicted"):
        due = CONTRADICTIONS[event.label].error
        if not str(event["error"]).startswith(due):
            yield Finding(f"{due} for {event.label}", f"it raised {event['error'] or 'nothing'}")


def _drawn_from(table: Mapping[str, Contradiction], *, unix: bool) -> list[str]:
    """The contradictions about Unix sockets and TLS, which not every loop has, or the others."""
    return [
        text
        for text, wrong in table.items()
        if ("unix" in wrong.method or (wrong.keywords.get("ssl") is not None and table is CONNECTIONS))
        == unix
    ]


def _contradicting(texts: Iterable[str]) -> SearchStrategy[Action]:
    return action("contradict", st.sampled_from(list(texts)))


_KINDS = "a place and a socket, neither, a socket of another kind, options of TLS without ssl"

rule(
    "TRN-14",
    "C",
    f"create_connection refuses with ValueError what cannot be meant: {_KINDS}",
    source="asyncio-eventloop docs, loop.create_connection; CPython test_base_events",
    programs=programs(_MEANWHILE, several(_contradicting(_drawn_from(CONNECTIONS, unix=False)), 1, 4)),
)(refused)
rule(
    "TRN-15",
    "C",
    f"create_unix_connection refuses with ValueError what cannot be meant: {_KINDS}, ssl without a name "
    "to check, and so does create_connection of a socket",
    source="asyncio-eventloop docs, loop.create_unix_connection; CPython test_unix_events",
    programs=programs(_MEANWHILE, several(_contradicting(_drawn_from(CONNECTIONS, unix=True)), 1, 4)),
)(refused)
rule(
    "SRV-07",
    "C",
    f"create_unix_server refuses with ValueError what cannot be meant: {_KINDS}; with TypeError ssl=True",
    source="asyncio-eventloop docs, loop.create_unix_server; CPython test_unix_events",
    programs=programs(_MEANWHILE, several(_contradicting(_drawn_from(SERVERS, unix=True)), 1, 4)),
)(refused)
rule(
    "DGM-02",
    "C",
    "create_datagram_endpoint refuses with ValueError what cannot be meant: no address at all, an address "
    "and a socket, a stream",
    source="asyncio-eventloop docs, loop.create_datagram_endpoint; CPython test_base_events",
    programs=programs(_MEANWHILE, several(_contradicting(DATAGRAMS), 1, 3)),
)(refused)
_SERVING = _contradicting(_drawn_from(SERVERS, unix=False))


@rule(
    "SRV-06",
    "C",
    f"create_server refuses with ValueError what cannot be meant: {_KINDS}; with TypeError ssl=True. A "
    "server that was closed does not serve again: serve_forever() raises RuntimeError, "
    "start_serving() some error",
    source="asyncio-eventloop docs, loop.create_server; CPython test_base_events, Server.serve_forever",
    programs=programs(
        _MEANWHILE,
        several(st.one_of(_SERVING, _SERVING, action("serve_afterwards", st.sampled_from(AFTERWARDS))), 1, 4),
    ),
    cost=2,
)
def servers_refuse(history: History) -> Iterator[Finding]:
    yield from refused(history)
    for event in history.of("served-afterwards"):
        error = str(event["error"] or "nothing")
        right = error.startswith("RuntimeError") or (
            event.label == "start_serving" and not error.startswith("nothing")
        )
        if not right:
            yield Finding(f"{event.label}() of a closed server raises an error", f"it raised {error}")
