"""The kinds of files that a program about selectors may open: names, what can be done to each, who has them.

Plain data, shared by those who write programs, play them and print them; it opens nothing.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

_POSIX = os.name == "posix"
NUMBERS_CAN_BE_CHOSEN = _POSIX
"""Whether a file can be given the number that another had: dup2(2), which Windows lacks for sockets."""
_STREAM = frozenset({"send", "recv", "fill", "drain", "hangup"})
# A terminal that was full says nothing when it has room again: poll(2) sees it, epoll(7) does not.
_TERMINAL = frozenset({"send", "recv", "drain", "hangup"})


@dataclass(frozen=True)
class FileKind:
    """One kind of file; "ours" is the end that a selector watches, the "peer" makes it ready."""

    name: str
    meaning: str
    takes: frozenset[str]
    """The actions that do something to it."""
    available: bool = _POSIX
    """Whether this platform has it, and its selectors may watch it."""
    always_ready: bool = False
    """Whether reading and writing never wait: epoll(7) and kqueue(2) do not watch such files."""


KINDS: dict[str, FileKind] = {
    kind.name: kind
    for kind in (
        FileKind("socket", "a pair of connected stream sockets", _STREAM | {"shutdown"}, available=True),
        FileKind("tcp", "a TCP connection", _STREAM | {"shutdown"}, available=True),
        FileKind("pipe r", "a pipe; ours reads", frozenset({"send", "recv", "hangup"})),
        FileKind("pipe w", "a pipe; ours writes", frozenset({"fill", "drain", "hangup"})),
        FileKind("fifo r", "a named pipe; ours reads", frozenset({"send", "recv", "hangup"})),
        FileKind("fifo w", "a named pipe; ours writes", frozenset({"fill", "drain", "hangup"})),
        FileKind("terminal", "a pseudo-terminal; ours is its master", _TERMINAL),
        FileKind("tty", "a pseudo-terminal; ours is what a program sees", _TERMINAL),
        FileKind(
            "listener",
            "a listening socket; to send is to connect",
            frozenset({"send", "recv", "hangup"}),
            available=True,
        ),
        FileKind(
            "client",
            "a TCP socket that is to connect to a server",
            frozenset({"connect", "hangup"}),
            available=True,
        ),
        FileKind("refused", "one whose server is not there", frozenset({"connect", "recv"}), available=True),
        FileKind("udp", "a pair of UDP sockets", frozenset({"send", "recv", "drain"}), available=True),
        FileKind(
            "datagrams", "a pair of unix datagram sockets", _STREAM, available=hasattr(socket, "AF_UNIX")
        ),
        FileKind(
            "eventfd", "a counter", frozenset({"send", "recv", "fill"}), available=hasattr(os, "eventfd")
        ),
        FileKind(
            "timerfd",
            "a timer; to send is to let it expire",
            frozenset({"send", "recv"}),
            available=hasattr(os, "timerfd_create"),
        ),
        FileKind("pidfd", "our own process, which lives", frozenset(), available=hasattr(os, "pidfd_open")),
        FileKind("file", "a regular file", frozenset(), always_ready=True),
        FileKind("directory", "a directory", frozenset(), always_ready=True),
        FileKind("null", "/dev/null", frozenset(), always_ready=True),
    )
}

WATCHED = tuple(kind.name for kind in KINDS.values() if kind.available and not kind.always_ready)
"""What every selector of this platform can be asked to watch."""
ALWAYS_READY = tuple(kind.name for kind in KINDS.values() if kind.available and kind.always_ready)
