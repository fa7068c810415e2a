"""Servers: a "pair" is a server of the loop, or a connection that it accepts (see ``transports``)."""

from __future__ import annotations

from .spec import ActionSpec, spec

PLACES = ("tcp", "tcp not yet", "path", "stale path", "abstract")
"""Where a server listens: "not yet" is start_serving=False, "stale" a socket file that nobody listens on."""
SERVER_CALLS = (
    *("start_serving", "serve_forever", "close", "wait_closed", "async with"),
    *("close_clients", "abort_clients"),
)

ACTIONS: dict[str, ActionSpec] = {
    "serve": spec("pair text", "create_server or create_unix_server", *PLACES),
    "client": spec("pair pair", "a plain socket connects to that server, and is the peer of that connection"),
    "server": spec("pair text", "make that call on the server, or start it as a task", *SERVER_CALLS),
    "factory_fails": spec("pair count", "its protocol factory raises ValueError that many times"),
    "starve": spec("", "RLIMIT_NOFILE leaves no number for another file"),
    "feed": spec("", "RLIMIT_NOFILE is as it was"),
}
