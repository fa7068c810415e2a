"""Pipes and what can take their place: a "pair" is a transport of the loop on one end, and a peer."""

from __future__ import annotations

from .spec import ActionSpec, spec

KINDS = ("pipe", "fifo", "pty", "socket")
"""What connect_read_pipe and connect_write_pipe take."""
REFUSED = ("file", "folder")
"""What they refuse, because readiness says nothing about it."""

ACTIONS: dict[str, ActionSpec] = {
    "read_pipe": spec("pair text", "connect_read_pipe on such a file", *KINDS, *REFUSED),
    "write_pipe": spec("pair text", "connect_write_pipe on such a file", *KINDS, "file"),
}
