"""What is done to a selector: a "pair" is a file of any kind, our end and a peer that makes it ready."""

from __future__ import annotations

from ..file_kinds import KINDS
from .spec import ActionSpec, spec

SETTLING = 1000
"""After so many waits a selector must have noticed which of its files are gone."""

REFUSALS = (
    "register twice",
    "unregister unknown",
    "modify unknown",
    "get_key unknown",
    "register no events",
    "register bad events",
    "register negative fd",
    "register no fileno",
    "register closed",
)
"""Calls on a selector that must be refused."""
FAILURES = ("register dead fd", "register regular file", "modify dead fd")
"""Calls on a selector that the kernel may refuse."""
SELECTOR_CALLS = ("register", "unregister", "modify", "get_key", "get_map", "select", "close")
"""Calls on a selector whose result or error is noted."""

ACTIONS: dict[str, ActionSpec] = {
    "register": spec("pair text", "register our end for 'r', 'w' or 'rw'", "r", "w", "rw"),
    "modify": spec("pair text", "modify the registration; the same letters", "r", "w", "rw"),
    "unregister": spec("pair", "unregister our end, by its object"),
    "refuse": spec("text", "a call that must be refused, by name", *REFUSALS),
    "fail": spec("text", "a call that the kernel may refuse, by name", *FAILURES),
    "select": spec(
        "timeout",
        "select(timeout / 1000), in ms or 'none'; what is ready is noted beside what must and may be",
    ),
    "map": spec("", "look at get_map and get_key of all there is"),
    # a "pair" is a file of any kind: our end, which is watched, and a peer that makes it ready
    "open": spec("pair text", "open a file of that kind; without this it is a pair of sockets", *KINDS),
    "dup": spec("pair pair", "our end of the first gets a second number, and the second pair is that"),
    "connect": spec("pair", "our end, a client, connects without waiting"),
    "send": spec("pair count", "the peer sends that many bytes; that many clients connect to a listener"),
    "recv": spec("pair count", "our end receives at most that many bytes, or accepts"),
    "fill": spec("pair", "our end sends until the kernel takes no more"),
    "drain": spec("pair", "the peer reads all there is"),
    "shutdown": spec(
        "pair text?",
        "shut down one direction: what the peer sends ('peer w'), what ours receives or sends",
        *("peer w", "ours r", "ours w"),
    ),
    "hangup": spec("pair", "the peer closes"),
    "abandon": spec(
        "pair text?", "close our end, registered or not; 'dup': a duplicate stays open", "", "dup"
    ),
    "forget": spec("pair", "unregister our end, abandoned or not, by its number"),
    "reuse": spec(
        "pair text?", "a fresh file of that kind takes the number of our end, closed or not", *KINDS
    ),
    "settle": spec("", "select(0), as often as a selector may need to notice what was closed"),
    "fork": spec("body", "fork; the child performs these and exits", place="outermost"),
    "close": spec("", "close the selector"),
    "attempt": spec("text", "make that call and note what it returned or raised", *SELECTOR_CALLS),
    "another": spec("", "open, use and close more selectors; note which files that leaves open"),
    "many": spec("count", "open and register that many readable pairs"),
    "alarm": spec("ms", "a signal, with a Python handler, arrives after that time"),
    "wake": spec("pair ms", "a thread sends one byte after that time"),
}
