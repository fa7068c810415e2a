"""Datagrams: a "pair" is an endpoint of the loop with its protocol, and a plain socket as its peer."""

from __future__ import annotations

from .spec import ActionSpec, spec

UDP_ENDPOINTS = ("bound", "connected")
UNIX_ENDPOINTS = ("unix", "unnamed")
"""Connected Unix sockets that the transport is given; they take no more than their peer has room for."""
ENDPOINTS = (*UDP_ENDPOINTS, *UNIX_ENDPOINTS)

ACTIONS: dict[str, ActionSpec] = {
    "endpoint": spec(
        "pair text",
        "create_datagram_endpoint, UDP bound only or connected to its peer, or on a connected Unix socket "
        "whose peer has a name or none",
        *ENDPOINTS,
    ),
    "sendto": spec("pair size", "transport.sendto() a datagram of that many bytes to the peer"),
    "burst": spec(
        "pair count size", "transport.sendto() so many datagrams, each a byte longer than the last"
    ),
    "close_endpoint": spec("pair", "transport.close()"),
    "datagram": spec("pair size", "the peer sends a datagram of that many bytes"),
    "take_datagrams": spec("pair", "the peer receives all there is"),
    "drain_datagrams": spec("pair", "the peer receives until nothing is missing"),
    "look_endpoint": spec("pair", "ask the transport how many bytes it keeps, and for its limits"),
    "no_peer": spec("pair", "the peer closes: who sends to it is refused"),
}
