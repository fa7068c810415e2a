"""Connections under TLS: a "pair" is such a transport of the loop, and a peer that may not keep to it."""

from __future__ import annotations

from .spec import ActionSpec, spec

WAYS = ("client", "client over tcp", "server")
"""How the connection comes about: create_connection(ssl=…) on a Unix socket or on a TCP one, or
create_server(ssl=…)."""
UPGRADES = ("start_tls client", "start_tls server")
"""start_tls on either side of a connection, on which a few plain words were said before."""
SOUND = ("sound", "tls 1.2")
MISFITS = ("wrong name", "unknown", "plain", "vanishing", "resetting")
"""A certificate for another name (only a client minds), one that its reader does not trust, no TLS at all;
gone in the middle of the handshake, by an end of the stream or a reset."""
SILENT = "silent"
"""It takes what comes, and never answers the handshake."""
RUDE = "rude"
"""It never answers the loop's close_notify, and stays connected."""

ACTIONS: dict[str, ActionSpec] = {
    "tls_peer": spec(
        "pair text", "what the peer of the TLS connection will be like", *SOUND, *MISFITS, SILENT, RUDE
    ),
    "tls_limits": spec("pair ms ms", "the ssl_handshake_timeout and ssl_shutdown_timeout that it will have"),
    "tls_link": spec("pair text", "connect them by TLS, in one of these ways", *WAYS, *UPGRADES),
}
