"""Calls that contradict themselves, and servers that are used after their end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .spec import ActionSpec, spec

SOCKETS = ("a stream", "a Unix stream", "a datagram socket")
"""What the argument ``sock`` may stand for."""


@dataclass(frozen=True)
class Contradiction:
    """A call with arguments of which some forbid, or require, others."""

    method: str
    keywords: dict[str, Any] = field(default_factory=dict)
    """But for the protocol factory, which comes first."""
    error: str = "ValueError"


_TCP = {"host": "127.0.0.1", "port": 9}
_PATH = {"path": "/nobody/listens/here"}
_LIMITS = ({"ssl_handshake_timeout": 1.0}, {"ssl_shutdown_timeout": 1.0})


def _without_ssl(method: str, where: dict[str, Any], *options: dict[str, Any]) -> dict[str, Contradiction]:
    return {
        f"{method}: {next(iter(option))} without ssl": Contradiction(method, {**where, **option})
        for option in (*_LIMITS, *options)
    }


def _where(method: str, where: dict[str, Any], stream: str) -> dict[str, Contradiction]:
    """Of a place and a socket one is given, and the socket is of the right kind."""
    return {
        f"{method}: {next(iter(where))} and sock": Contradiction(method, {**where, "sock": stream}),
        f"{method}: neither {next(iter(where))} nor sock": Contradiction(method),
        f"{method}: a datagram socket": Contradiction(method, {"sock": "a datagram socket"}),
    }


CONNECTIONS: dict[str, Contradiction] = {
    **_where("create_connection", _TCP, "a stream"),
    **_where("create_unix_connection", _PATH, "a Unix stream"),
    **_without_ssl("create_connection", _TCP, {"server_hostname": "localhost"}),
    **_without_ssl("create_unix_connection", _PATH, {"server_hostname": "localhost"}),
    "create_unix_connection: a TCP socket": Contradiction("create_unix_connection", {"sock": "a stream"}),
    "create_connection: ssl of a sock without server_hostname": Contradiction(
        "create_connection", {"sock": "a stream", "ssl": True}
    ),
    "create_unix_connection: ssl without server_hostname": Contradiction(
        "create_unix_connection", {**_PATH, "ssl": True}
    ),
}
SERVERS: dict[str, Contradiction] = {
    **_where("create_server", {"host": "127.0.0.1", "port": 0}, "a stream"),
    **_where("create_unix_server", _PATH, "a Unix stream"),
    **_without_ssl("create_server", {"host": "127.0.0.1", "port": 0}),
    **_without_ssl("create_unix_server", _PATH),
    "create_unix_server: a TCP socket": Contradiction("create_unix_server", {"sock": "a stream"}),
    "create_server: ssl=True": Contradiction(
        "create_server", {"host": "127.0.0.1", "port": 0, "ssl": True}, "TypeError"
    ),
    "create_unix_server: ssl=True": Contradiction("create_unix_server", {**_PATH, "ssl": True}, "TypeError"),
}
DATAGRAMS: dict[str, Contradiction] = {
    "create_datagram_endpoint: no address": Contradiction("create_datagram_endpoint"),
    "create_datagram_endpoint: a stream": Contradiction("create_datagram_endpoint", {"sock": "a stream"}),
    "create_datagram_endpoint: local_addr and sock": Contradiction(
        "create_datagram_endpoint", {"local_addr": ("127.0.0.1", 0), "sock": "a datagram socket"}
    ),
}
CONTRADICTIONS = {**CONNECTIONS, **SERVERS, **DATAGRAMS}
AFTERWARDS = ("start_serving", "serve_forever")
"""What no server does after its close()."""

ACTIONS: dict[str, ActionSpec] = {
    "contradict": spec(
        "text", "await that call of the loop, and note what came of it", *CONTRADICTIONS, place="outermost"
    ),
    "serve_afterwards": spec(
        "text", "close a server and await that method of it", *AFTERWARDS, place="outermost"
    ),
}
