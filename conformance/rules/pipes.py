"""Pipes (PIP): what is read from them and written to them, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..conversations import (
    ABORT,
    CLOSE,
    LOOK,
    PAUSE,
    PEER_SENDS,
    PEER_TAKES,
    RESUME,
    WRITE,
    Moves,
    events,
    reactions,
)
from ..history import History
from ..program import Program
from ..strategies import action, joined, programs
from ..vocabulary.pipes import KINDS, REFUSED
from .connections import arrivals, calls, connections, peers, told
from .queries import runs_ended
from .rule import Finding, rule
from .transports import life_of_a_protocol

_PEER_CLOSES = action("peer_close", 0)
# Where somebody may close, somebody does: half of the programs leave that to their end, and carry more.
_READING = [PEER_SENDS, PEER_SENDS, PAUSE, RESUME]
_WRITING = [WRITE, WRITE, PEER_TAKES]
_READING_AND_CLOSING = [*_READING, PEER_SENDS, CLOSE, _PEER_CLOSES]
_WRITING_AND_CLOSING = [*_WRITING, WRITE, PEER_TAKES, CLOSE, ABORT, _PEER_CLOSES]
_READ_TO_THE_END: Program = (("resume_reading", 0), ("run",), ("peer_close", 0), ("run",), ("look", 0))
_WRITE_TO_THE_END: Program = (("peer_reads", 0), ("close_link", 0), ("run",), ("hear", 0), ("look", 0))


def _piped(kind: str, moves: Moves, told_in: tuple[str, ...], farewell: Program) -> SearchStrategy[Program]:
    connect = action(kind, 0, st.sampled_from(KINDS)).map(lambda made: (made,))
    return programs(joined(connect), ("run",), reactions(told_in, moves), events(moves), ("run",), farewell)


@rule(
    "PIP-01",
    "R",
    "what comes out of a pipe is what went in, complete and in order, up to its end; "
    "a pipe that breaks, or is closed, ends in one connection_lost",
    source="asyncio-eventloop docs, Working with pipes; CPython test_unix_events",
    programs=st.one_of(
        *(
            _piped("read_pipe", moves, ("data_received",), _READ_TO_THE_END)
            for moves in (_READING, _READING_AND_CLOSING)
        ),
        *(
            _piped("write_pipe", moves, ("resume_writing", "connection_made"), _WRITE_TO_THE_END)
            for moves in (_WRITING, _WRITING_AND_CLOSING)
        ),
    ),
    needs="descriptors",
)
def pipes_carry(history: History) -> Iterator[Finding]:
    for made in history.of("piped"):
        if made.get("error"):
            kind = "connect_read_pipe" if made["reading"] else "connect_write_pipe"
            yield Finding(f"{kind} takes a {made['way']}", f"it raised {made['error']}")
    yield from runs_ended(history)
    yield from life_of_a_protocol(history)
    yield from arrivals(history)
    for label in connections(history):
        yield from _read_to_the_end(history, label)


def _read_to_the_end(history: History, label: str) -> Iterator[Finding]:
    """The peer of a read pipe has closed it, and nobody else has."""
    if not history.actions("read_pipe") or calls(history, label, "close"):
        return
    switches = calls(history, label, "pause_reading", "resume_reading")
    if switches and switches[-1]["what"] == "pause_reading":
        return  # it paused again: what is left is not read
    sent = max((event["total"] for event in peers(history, label, "sent")), default=0)
    heard = max((event["total"] for event in told(history, label, "data_received")), default=0)
    # A terminal that is hung up may forget what nobody has read yet.
    if heard != sent and not any(made["way"] == "pty" for made in history.of("piped")):
        yield Finding(f"all {sent} bytes that were written arrive before the end", f"{heard} arrived")
    if not told(history, label, "connection_lost"):
        yield Finding("the end of a pipe is told: connection_lost", "it never was")


@rule(
    "PIP-02",
    "C",
    "a regular file or a folder is refused with ValueError: readiness says nothing about it",
    source="CPython unix_events._UnixReadPipeTransport and test_unix_events",
    programs=programs(
        st.one_of(
            action("read_pipe", 0, st.sampled_from(REFUSED)), action("write_pipe", 0, st.just("file"))
        ).map(lambda made: (made,)),
        ("run",),
    ),
    cost=4,
    needs="descriptors",
)
def files_are_no_pipes(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for made in history.of("piped"):
        if not str(made.get("error")).startswith("ValueError"):
            seen = made.get("error") or "it was accepted"
            yield Finding(f"a {made['way']} is refused with ValueError", f"{seen}")


@rule(
    "PIP-03",
    "R",
    "get_extra_info() of a pipe's transport knows the pipe, for as long as it is open",
    source="asyncio-protocol docs, BaseTransport.get_extra_info",
    programs=st.one_of(
        _piped("read_pipe", [LOOK, PEER_SENDS], ("data_received", "connection_made"), _READ_TO_THE_END),
        _piped("write_pipe", [LOOK, WRITE], ("connection_made",), _WRITE_TO_THE_END),
    ),
    needs="descriptors",
    cost=2,
)
def pipes_are_known(history: History) -> Iterator[Finding]:
    for look in history.of("looked"):
        open_still = not look["lost"] and look["closing"] is False
        wanted = "an open socket" if look["way"] == "socket" else "an open file"
        if open_still and look["pipe"] != wanted:
            yield Finding(f"get_extra_info('pipe') is {wanted}", f"it is {look['pipe']}")
