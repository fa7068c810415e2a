"""Readers and writers: a "pair" is a connected pair of stream sockets, of which the loop watches one end."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "pipe": spec(
        "pair text", "make the pair the two ends of a pipe; ours reads ('r') or writes ('w')", "r", "w"
    ),
    "reader": spec(
        "pair label body text?", "add_reader on our end; by 'sock' (default) or by 'fd'", "sock", "fd"
    ),
    "writer": spec("pair label body text?", "add_writer on our end", "sock", "fd"),
    "unreader": spec("pair", "remove_reader"),
    "unwriter": spec("pair", "remove_writer"),
    "send": spec("pair count", "the peer sends that many bytes"),
    "recv": spec("pair count", "our end receives at most that many bytes, without blocking"),
    "fill": spec("pair", "our end sends until the kernel takes no more"),
    "drain": spec("pair", "the peer reads all there is"),
    "hangup": spec("pair", "the peer closes"),
    "abandon": spec(
        "pair text?", "close our end without removing it; 'dup': a duplicate stays open", "", "dup"
    ),
    "reuse": spec("pair", "a fresh pair takes the place, and the fd number, of an abandoned one"),
}
