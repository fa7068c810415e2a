"""Files that are sent through plain sockets."""

from __future__ import annotations

from .spec import ActionSpec, spec

SOURCES = ("native", "fallback", "memory", "memory, native")
"""A regular file without and with fallback=True, and a file in memory, which has no descriptor, the same."""

ACTIONS: dict[str, ActionSpec] = {
    "sock_sendfile": spec(
        "size size size text",
        "loop.sock_sendfile of a file of that many bytes, from that offset, that many bytes at most (0: all)",
        *SOURCES,
        place="outermost",
    ),
}
