"""DNS: names, addresses and the order in which they are tried."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import action, programs, several
from ..vocabulary.names import DIALLED, LOOK_UPS, STALLED
from .rule import Finding, rule

_RESOLUTION_S = 0.001
# Elsewhere a full queue is answered with a refusal.
_DIALLED_WITH_DELAY = [*DIALLED, *STALLED] if sys.platform == "linux" else DIALLED
_ALL_ERRORS = st.sampled_from([0, 1]) if sys.version_info >= (3, 12) else st.just(0)


@rule(
    "DNS-01",
    "R",
    "getaddrinfo and getnameinfo answer as the socket module does; a literal address takes no look-up; the "
    "addresses of a name are tried in order until one answers, the next one when happy_eyeballs_delay is "
    "over, and all_errors (3.12) tells of each",
    source="asyncio-eventloop docs, loop.create_connection, loop.getaddrinfo; RFC 8305",
    programs=programs(
        several(action("look_up", st.sampled_from(LOOK_UPS)), 0, 2),
        several(
            st.one_of(
                action("dial", st.sampled_from(DIALLED)),
                action("dial", st.sampled_from(DIALLED), st.sampled_from([250, 1000]), _ALL_ERRORS),
                action("dial", st.sampled_from(_DIALLED_WITH_DELAY), st.sampled_from([20, 50]), _ALL_ERRORS),
            ),
            1,
            3,
        ),
    ),
    cost=2,
    version=2,
)
def resolved(history: History) -> Iterator[Finding]:
    for event in history.of("looked-up"):
        if event["result"] != event["meant"]:
            yield Finding(
                f"looking up {event.label} gives {event['meant']}",
                f"it gave {event['error'] or event['result']}",
            )
    asked = iter(action for action in history.program if action[0] == "dial")
    for event in history.of("dialled"):
        options = next(asked, ("dial", event.label))
        yield from _dialled(event.label, event.data, all_errors=options[3:] == (1,))
        if "reached" in event.data and len(options) > 2:
            yield from _held_up(event.label, event["took_s"], options[2] / 1000)


def _held_up(text: str, took_s: float, delay_s: float) -> Iterator[Finding]:
    """Each address that never answers has its delay before the next one is tried."""
    least_s = text.count("s", 0, text.index("l")) * delay_s
    if took_s < least_s - _RESOLUTION_S:
        yield Finding(f"dialling {text} takes {least_s:g} s at least", f"it took {took_s:.4f} s")


def _dialled(text: str, seen: dict[str, object], *, all_errors: bool) -> Iterator[Finding]:
    if seen["error"]:
        yield Finding(f"dialling {text} connects or raises OSError", f"it raised {seen['error']}")
        return
    if text == "literal" and seen["jobs"]:
        yield Finding("a literal address takes no look-up", f"the executor got {seen['jobs']} jobs")
    first = 0 if text == "literal" else text.find("l")
    if first >= 0:
        if seen.get("reached") != first:
            what = f"number {seen['reached']}" if "reached" in seen else f"{seen['raised']}"
            yield Finding(f"of {text} number {first} is reached: the first that listens", f"it was {what}")
        return
    kind, count = ("ExceptionGroup", len(text)) if all_errors else (None, 1)
    if "raised" not in seen:
        yield Finding(f"no address of {text} answers: OSError", f"number {seen['reached']} was reached")
    elif (seen["raised"] == "ExceptionGroup") is not (kind is not None) or seen["errors"] != count:
        wanted = f"ExceptionGroup of {count}" if kind else "one OSError"
        yield Finding(f"{wanted} when all of {text} refuse", f"it was {seen['raised']} of {seen['errors']}")
