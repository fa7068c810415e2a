"""CAN: what timeouts make of cancellations, their own and others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from ..history import Event, History
from ..strategies import AWAIT, STEP, action, later, programs, several, soon, steps
from .queries import COARSE_S, runs_ended
from .rule import Finding, rule
from .task_queries import (
    awaits_something_cancelled,
    between,
    blocks,
    cancelled_before,
    cancelled_meanwhile,
    every_task_ends,
    takes_earlier_cancellation,
    was_tampered_with,
)

_LIMITS_MS = st.sampled_from([-1, 0, 0, 0.5, 1, 2, 3, 20, "none"])
_RESCHEDULE = action("reschedule", "d0", st.sampled_from([-1, 0, 1, 2, 8, "none"]))
_CANCELS = st.one_of(action("cancel_task", "t0"), _RESCHEDULE)
_TIMED_STEPS = steps(
    st.one_of(STEP, STEP, AWAIT, AWAIT, _CANCELS),
    [lambda inner: action("timeout", None, _LIMITS_MS, inner)],
)


_DISTURBED = programs(
    ("future", "f0"),
    st.tuples(
        several(st.one_of(action("cancel_task", "t0"), STEP), 0, 1),
        action("timeout", "d0", _LIMITS_MS, _TIMED_STEPS, st.sampled_from(["after", "at"])),
        several(STEP, 0, 2),
        st.sampled_from([0, 0, 0, 1]),
    ).map(lambda parts: (("task", "t0", (*parts[0], parts[1], *parts[2]), parts[3]),)),
    several(
        st.one_of(
            soon(several(_CANCELS, 1, 2)),
            later(st.sampled_from([0.5, 1, 1.5, 2]))(several(_CANCELS, 1, 2)),
        ),
        0,
        3,
    ),
    several(later(6)(st.just((("resolve", "f0"),))), 1, 1),
    ("run",),
)
_RESCHEDULED = programs(
    ("future", "f0"),
    action("timeout", "d0", st.sampled_from([1, 2, 3]), st.just((("await", "f0"),))).map(
        lambda block: (("task", "t0", (block,)),)
    ),
    several(
        st.one_of(*(way(several(_RESCHEDULE, 1, 2)) for way in (soon, later(0.5), later(1.5)))),
        1,
        2,
    ),
    several(later(6)(st.just((("resolve", "f0"),))), 1, 1),
    ("run",),
)
# While one callback keeps the loop, a deadline and somebody else's cancellation both fall due.
_DUE_TOGETHER = programs(
    ("future", "f0"),
    action("timeout", "d0", st.sampled_from([0.5, 1, 1.5]), st.just((("await", "f0"),))).map(
        lambda block: (("task", "t0", (block, ("yield",))),)
    ),
    several(later(st.sampled_from([0.5, 1, 1.5, 2]))(several(action("cancel_task", "t0"), 1, 1)), 1, 2),
    several(soon(st.just((("block", 2.5),))), 1, 1),
    several(later(6)(st.just((("resolve", "f0"),))), 1, 1),
    ("run",),
)


@rule(
    "CAN-10",
    "R",
    "timeout() turns its own cancellation, and no other, into a TimeoutError; "
    "nested, rescheduled and in the past alike",
    source="asyncio-task docs, asyncio.timeout, Timeout.reschedule; CPython test_timeouts; gh-95051",
    programs=st.one_of(_DISTURBED, _DISTURBED, _RESCHEDULED, _DUE_TOGETHER),
)
def timeouts_are_their_own(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for entered, left in blocks(history, "timeout"):
        yield from _counts_balance(history, entered, left)
        if was_tampered_with(history, entered, left) or cancelled_before(history, entered):
            continue
        yield from _whose_cancellation(history, entered, left)
        yield from _when_it_expired(history, entered, left)


@rule(
    "CAN-17",
    "C",
    "a cancellation asked for before a timeout's block is entered leaves it as CancelledError, "
    "also where the deadline is past",
    source="gh-134471",
    programs=programs(
        action("timeout", "d0", st.sampled_from([-1, 0, 20]), several(STEP, 1, 2)).map(
            lambda block: (("task", "t0", (("cancel_task", "t0"), block, ("yield",))),)
        ),
        ("run",),
    ),
)
def earlier_cancellations_leave(history: History) -> Iterator[Finding]:
    for entered, left in blocks(history, "timeout"):
        if takes_earlier_cancellation(history, entered, left):
            yield Finding(
                f"the CancelledError that {entered['task']} was promised before leaves {entered.label}",
                "a TimeoutError left it, and the cancellation is forgotten",
            )


def _counts_balance(history: History, entered: Event, left: Event) -> Iterator[Finding]:
    if between(history, entered, left, "uncancelled", entered["task"]):
        return
    requests = len(cancelled_meanwhile(history, entered, left))
    expected = entered["cancelling"] + requests + left["around"] - entered["around"]
    if left["cancelling"] != expected:
        yield Finding(
            f"cancelling() is {expected} behind {entered.label}: a timeout takes back its own request alone",
            f"it is {left['cancelling']!r}",
        )


def _whose_cancellation(history: History, entered: Event, left: Event) -> Iterator[Finding]:
    label, outcome = entered.label, left["outcome"]
    foreign = cancelled_meanwhile(history, entered, left)
    outer = left["around"] > 0
    if outcome == "TimeoutError":
        if not left["expired"]:
            yield Finding(f"{label} raises TimeoutError only if it expired", "expired() is False")
        if foreign:
            yield Finding(
                f"the CancelledError of somebody else's cancel() leaves {label}", "a TimeoutError left it"
            )
    elif outcome.startswith("cancelled") and not foreign and not outer:
        if left["expired"]:
            yield Finding(f"TimeoutError leaves {label}, which expired", f"it was {outcome}")
        elif not awaits_something_cancelled(history, left):
            yield Finding(f"no CancelledError leaves {label}: nobody cancelled", f"it was {outcome}")


def _when_it_expired(history: History, entered: Event, left: Event) -> Iterator[Finding]:
    label, when = entered.label, left["when"]
    changes = [e for e in between(history, entered, left, "rescheduled", label) if not e["refused"]]
    for change in changes:
        if change["says"] != change["when"]:
            yield Finding(
                f"when() of {label} is {change['when']!r} after reschedule()", f"it is {change['says']!r}"
            )
    if left["outcome"] == "TimeoutError" and (when is None or left["loop_time"] < when - COARSE_S):
        yield Finding(f"{label} does not expire before its deadline", _early(left["loop_time"], when))
    if left["outcome"] != "returned" or left["expired"]:
        return
    armed = changes[-1] if changes else entered
    ran = [] if when is None else _due_after(history, armed, left, when)
    if when is not None and when > left["loop_time"] + 3600:
        return
    if ran and when > entered["loop_time"] + history.resolution:
        yield Finding(
            f"{label} expires at its deadline",
            f"{ran[0].label}, which was due later, had already run when the block ended by itself",
        )
    if not changes and entered["delay"] is not None and entered["delay"] <= 0:
        waits = [
            e
            for e in between(history, entered, left, "task-step", entered["task"])
            if e["action"] in ("yield", "pause")
        ]
        if waits:
            yield Finding(
                f"{label}, whose deadline was past at its start, lets nothing past the first await",
                f"{waits[0]['action']} came back",
            )


def _early(now: float, when: Any) -> str:
    return "it had none" if when is None else f"it expired {(when - now) * 1000:.3f} ms early"


def _due_after(history: History, armed: Event, left: Event, when: float) -> list[Event]:
    """The timers that were due for certain after that time, and began meanwhile."""
    timers = {call.label: call for call in history.scheduled("later", "at")}
    return [
        begin
        for begin in history.of("begin")
        if armed.index < begin.index < left.index
        and begin.label in timers
        and timers[begin.label]["loop_before"] + timers[begin.label]["delay"] > when + COARSE_S
    ]
