"""Conversations made up: a transport with its protocol, and a peer that does what it likes.

A conversation has one connection, number 0. What happens on it is drawn for three places: what the program
does before and beside the run, what callbacks do that it schedules, and what the protocol does when it is
told something. In the end the peer reads, the transport is closed, and what arrived is noted.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from .program import Action, Program
from .strategies import EMPTY, Body, action, joined, later, programs, several, soon
from .vocabulary.transports import BUFFERS

Moves = Sequence[SearchStrategy[Action]]

SIZES = st.one_of(
    st.integers(1, 300),
    st.sampled_from([0, 1, 4096, 20_000, 65_536, 70_001, 150_000]),
    st.sampled_from([400_000, 1_000_003]),
)
"""Bytes: a few, about a buffer, and much more than the kernel takes at once."""
SMALL = st.one_of(st.integers(1, 300), st.sampled_from([4096, 20_000, 60_000]))
LIMITS = st.sampled_from([0, 1, 1000, 16_384, 65_536, 200_000])

WRITE = action("write", 0, SIZES)
WRITE_ANY = action("write", 0, SIZES, st.sampled_from(BUFFERS))
WRITE_EOF = action("write_eof", 0)
CLOSE, ABORT = action("close_link", 0), action("abort", 0)
PAUSE, RESUME = action("pause_reading", 0), action("resume_reading", 0)
LOOK = action("look", 0)
FAIL = action("fail")
PEER_SENDS = action("peer_send", 0, SMALL)
PEER_TAKES = action("peer_recv", 0, SIZES)
PEER_READS = action("peer_reads", 0)
PEER_ENDS = action("peer_eof", 0)
PEER_LEAVES = st.one_of(action("peer_close", 0), action("peer_reset", 0))

FAREWELL: Program = (
    *(("resume_reading", 0), ("run",), ("look", 0), ("on", 0, "resume_writing", ())),
    *(("peer_reads", 0), ("close_link", 0), ("run",), ("hear", 0), ("look", 0)),
)


def link(ways: SearchStrategy[str] | None = None) -> SearchStrategy[Action]:
    return action("link", 0, ways or st.sampled_from(["unix", "tcp", "client", "server", "server"]))


def reactions(where: Sequence[str], moves: Moves, least: int = 0, most: int = 2) -> Body:
    """What the protocol does in some of those callbacks."""
    return st.lists(
        action("on", 0, st.sampled_from(where), several(st.one_of(*moves), 1, 2)),
        min_size=least,
        max_size=most,
    ).map(tuple)


def events(moves: Moves, least: int = 1, most: int = 4) -> Body:
    """Callbacks, some of them a little later, that make those moves; now and then one inside another."""
    body = several(st.one_of(*moves), 1, 3)
    nested = st.one_of(*moves, soon(body), later(st.sampled_from([0, 1, 2]))(body))
    return several(
        st.one_of(
            soon(several(nested, 1, 3)),
            later(st.sampled_from([0, 0.5, 1, 2]))(several(nested, 1, 3)),
        ),
        least,
        most,
    )


def conversations(
    *parts: Body | Action,
    ways: SearchStrategy[str] | None = None,
    before: Body = EMPTY,
    made: Body | None = None,
    farewell: Program = FAREWELL,
) -> SearchStrategy[Program]:
    """Whole programs: a connection, what is done before it and when it is made, the parts, a farewell."""
    first = (several(st.one_of(WRITE, LOOK), 0, 2) if made is None else made).map(
        lambda body: (("on", 0, "connection_made", body),) if body else ()
    )
    connected = link(ways).map(lambda made_: (made_,))
    return programs(joined(before, first, connected), ("run",), *parts, ("run",), farewell)
