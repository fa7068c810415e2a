"""Datagrams: a "pair" is an endpoint of the loop with its protocol, and a plain UDP socket as its peer."""

from __future__ import annotations

from .spec import ActionSpec, spec

ENDPOINTS = ("bound", "connected")

ACTIONS: dict[str, ActionSpec] = {
    "endpoint": spec(
        "pair text", "create_datagram_endpoint, bound only or connected to its peer", *ENDPOINTS
    ),
    "sendto": spec("pair size", "transport.sendto() a datagram of that many bytes to the peer"),
    "close_endpoint": spec("pair", "transport.close()"),
    "datagram": spec("pair size", "the peer sends a datagram of that many bytes"),
    "take_datagrams": spec("pair", "the peer receives all there is"),
    "no_peer": spec("pair", "the peer closes: who sends to it is refused"),
}
