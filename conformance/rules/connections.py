"""Questions that the rules on transports ask of a history."""

from __future__ import annotations

from collections.abc import Iterator

from ..history import Event, History
from .rule import Finding


def connections(history: History) -> list[str]:
    """The connections whose protocol was told that they are made, or lost."""
    return list(dict.fromkeys(event.label for event in history.of("told")))


def told(history: History, label: str, *what: str) -> list[Event]:
    """What the protocol of that connection was told, in order."""
    return [e for e in history.of("told", label=label) if not what or e["what"] in what]


def calls(history: History, label: str, *methods: str) -> list[Event]:
    """The calls on that transport, in order."""
    return [e for e in history.of("did", label=label) if e["what"] in methods]


def peers(history: History, label: str, *what: str) -> list[Event]:
    """What the peer of that connection did or got, in order."""
    return [e for e in history.of("peer", label=label) if e["what"] in what]


def connected(history: History) -> Iterator[Finding]:
    """Every connection that was asked for was made."""
    for made in history.of("linked"):
        if made.get("error"):
            yield Finding("create_connection(sock=…) succeeds", f"it raised {made['error']}")


def undisturbed(history: History, label: str) -> bool:
    """Whether nothing but close() ended the connection: no abort, no lost peer, no exception."""
    lost = told(history, label, "connection_lost")
    return (
        bool(lost)
        and lost[0]["exception"] is None
        and not calls(history, label, "abort")
        and not peers(history, label, "closed", "reset")
        and not history.of("raised")
    )


def _required(history: History, label: str) -> int:
    """So many bytes must arrive: those written before close()."""
    return max(
        (
            call["start"] + call["count"]
            for call in calls(history, label, "write", "writelines")
            if not call["error"] and not call["left"] and not call["lost"]
        ),
        default=0,
    )


def arrivals(history: History) -> Iterator[Finding]:
    """What arrived on either side is what was sent, in order; all of it after a close() that nobody hurt."""
    for label in connections(history):
        for event in peers(history, label, "received", "heard"):
            if event["wrong_at"] is not None:
                yield Finding(
                    "the peer receives the bytes as they were when they were written",
                    f"the byte at {event['wrong_at']} is another one",
                )
                return
            if event["total"] > event["written"]:
                yield Finding(
                    f"the peer receives {event['written']} bytes at most", f"it received {event['total']}"
                )
        for event in peers(history, label, "heard"):
            required = _required(history, label)
            # Closing a socket with unread data resets the connection (RFC 1122, 4.2.2.13), and what is under
            # way is lost. And a peer that still reads, on a busy machine, has not said its last word.
            if event["ended"] == "eof" and undisturbed(history, label) and event["total"] < required:
                yield Finding(
                    f"all {required} bytes written before close() arrive", f"{event['total']} arrived"
                )
        for event in told(history, label, "data_received"):
            if event["wrong_at"] is not None:
                yield Finding(
                    "data_received gets the bytes that the peer sent, in order",
                    f"the byte at {event['wrong_at']} is another one",
                )
                return
