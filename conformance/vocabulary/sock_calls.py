"""Calls on sockets that a task awaits: of a "pair" our end, or a listener that clients knock at."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "sock_recv": spec("pair count", "inside a task: await loop.sock_recv(our end, count)", place="task"),
    "sock_sendall": spec(
        "pair count", "inside a task: await loop.sock_sendall(our end, that many bytes)", place="task"
    ),
    "sock_accept": spec("pair", "inside a task: await loop.sock_accept(the listener)", place="task"),
    "sock_connect": spec(
        "pair", "inside a task: await loop.sock_connect() to the listener; closed after", place="task"
    ),
    "create_connection": spec(
        "pair", "inside a task: await loop.create_connection() to the listener; aborted after", place="task"
    ),
    "knock": spec("pair", "a client connects to the listener"),
    "answer": spec("pair", "accept whoever still waits at the listener, without blocking"),
}
