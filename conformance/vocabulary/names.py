"""Names, addresses and the connections that are made to them."""

from __future__ import annotations

from .spec import ActionSpec, spec

LOOK_UPS = ("127.0.0.1", "::1", "localhost", "nobody", "nonsense", "the name of 127.0.0.1")
"""What is looked up: for binding ("nobody"), what is no address, and an address for its name among them."""
DIALLED = ("literal", "l", "rl", "rrl", "ll", "rll", "r", "rr", "rrr")
STALLED = ("sl", "srl", "rsl", "ssl")
"""What is dialled with a delay only: an address that never answers holds up the others for so long."""

ACTIONS: dict[str, ActionSpec] = {
    "look_up": spec(
        "text",
        "getaddrinfo or getnameinfo, beside what the socket module says",
        *LOOK_UPS,
        place="outermost",
    ),
    "dial": spec(
        "text ms? value?",
        "create_connection to 127.0.0.1, or to a name with an address for each letter, one that listens (l), "
        "refuses (r) or never answers (s); with happy_eyeballs_delay = ms / 1000, and all_errors if the "
        "value is 1",
        *DIALLED,
        *STALLED,
        place="outermost",
    ),
}
