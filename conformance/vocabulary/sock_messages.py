"""Bytes and datagrams through the sock_* methods, each known by what it holds.

A "pair" is here a box: a UDP socket of the loop's, which strangers may post to as well.
"""

from __future__ import annotations

from .spec import ActionSpec, spec

INTO = ("sock_recv", "sock_recv_into")

ACTIONS: dict[str, ActionSpec] = {
    "sock_recvfrom": spec("pair count", "inside a task: await loop.sock_recvfrom(box, count)", place="task"),
    "sock_recvfrom_into": spec(
        "pair count count",
        "inside a task: await loop.sock_recvfrom_into(box, a buffer of that size, that many bytes)",
        place="task",
    ),
    "sock_sendto": spec(
        "pair pair size", "inside a task: await loop.sock_sendto(box, so many bytes, other box)", place="task"
    ),
    "post": spec("pair size", "a stranger's socket sends a datagram to that box"),
    "carry": spec(
        "size size text",
        "inside a task: sock_sendall so many bytes to a socket, and receive them by count at a time",
        *INTO,
        place="task",
    ),
}
