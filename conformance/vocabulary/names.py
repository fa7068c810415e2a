"""Names, addresses and the connections that are made to them."""

from __future__ import annotations

from .spec import ActionSpec, spec

LOOK_UPS = ("127.0.0.1", "::1", "localhost", "nobody", "nonsense", "the name of 127.0.0.1")
"""What is looked up: for binding ("nobody"), what is no address, and an address for its name among them."""
DIALLED = ("literal", "l", "rl", "rrl", "ll", "rll", "r", "rr", "rrr")

ACTIONS: dict[str, ActionSpec] = {
    "look_up": spec(
        "text",
        "getaddrinfo or getnameinfo, beside what the socket module says",
        *LOOK_UPS,
        place="outermost",
    ),
    "dial": spec(
        "text ms? value?",
        "create_connection to 127.0.0.1, or to a name with an address for each letter, one that listens (l) "
        "or refuses (r); with happy_eyeballs_delay = ms / 1000, and all_errors if the value is 1",
        *DIALLED,
        place="outermost",
    ),
}
