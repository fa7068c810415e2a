"""CAN: groups of tasks: who is cancelled, who is awaited, and what is raised."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..strategies import AWAIT, STEP, Body, action, later, programs, several, soon, steps
from .queries import runs_ended
from .rule import Finding, rule
from .task_queries import (
    awaits_something_cancelled,
    blocks,
    cancelled_before,
    cancelled_meanwhile,
    every_task_ends,
    takes_earlier_cancellation,
    was_tampered_with,
)

_FAILS = st.just(("fails",))


def _spawns(group: str, most: int) -> Body:
    child = action(
        "group_task",
        None,
        group,
        several(st.one_of(STEP, STEP, AWAIT, AWAIT, _FAILS), 1, 3),
        st.sampled_from([0, 0, 0, 0, 1]),
    )
    return several(child, 1, most)


_GROUP_STEPS = st.tuples(
    _spawns("g0", 3),
    several(st.one_of(STEP, AWAIT, _FAILS, action("cancel_task", "t0")), 0, 2),
    st.one_of(
        st.just(()),
        steps(STEP, [lambda inner: action("timeout", None, st.sampled_from([0, 1, 3]), inner)]),
        several(_spawns("g1", 2).map(lambda inner: ("group", "g1", inner)), 1, 1),
    ),
).map(lambda parts: (*parts[0], *parts[1], *parts[2]))
_CANCELS = st.one_of(
    action("cancel_task", "t0"),
    st.sampled_from([("resolve", "f0"), ("fail_future", "f0"), ("cancel_future", "f0")]),
)


@rule(
    "CAN-11",
    "R",
    "TaskGroup: the first failure cancels the other tasks, all are done when the block is left, their errors "
    "are raised as a group, and a cancellation from outside is not lost",
    source="asyncio-task docs, Task Groups; CPython test_taskgroups; gh-116720",
    programs=programs(
        ("future", "f0"),
        several(
            st.tuples(_GROUP_STEPS, several(STEP, 0, 2)).map(
                lambda parts: ("task", "t0", (("group", "g0", parts[0]), *parts[1]))
            ),
            1,
            1,
        ),
        several(
            st.one_of(
                soon(several(_CANCELS, 1, 2)),
                later(st.sampled_from([0.5, 1, 1.5, 2]))(several(_CANCELS, 1, 2)),
            ),
            0,
            3,
        ),
        (("later", None, 6, (("resolve", "f0"),)),),
        ("run",),
    ),
)
def groups_stand_together(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for entered, left in blocks(history, "group"):
        pending = [label for label, outcome in left["children"].items() if outcome == "pending"]
        if pending:
            yield Finding(
                f"all tasks of {left.label} are done when its block is left",
                f"{', '.join(pending)} pending",
            )
            continue
        yield from _errors_are_raised(left)
        yield from _siblings_are_cancelled(history, left)
        if (
            not entered["groups"]  # a failure in the outer one cancels the block of the inner one
            and not was_tampered_with(history, entered, left)
            and not cancelled_before(history, entered)
        ):
            yield from _from_outside(history, entered, left)


def _failed(left: Event) -> list[str]:
    return [label for label, outcome in left["children"].items() if outcome.startswith("ValueError")]


def _errors_are_raised(left: Event) -> Iterator[Finding]:
    raised = set(left["errors"] or ())
    missing = [
        label for label in _failed(left) if not left["children"][label].endswith(tuple(raised) or ("-",))
    ]
    if missing:
        says = f"it holds those of {sorted(raised)}" if raised else f"the block ended with: {left['outcome']}"
        yield Finding(f"the errors of {', '.join(missing)} leave {left.label} in an ExceptionGroup", says)


def _siblings_are_cancelled(history: History, left: Event) -> Iterator[Finding]:
    """The group hears of a failure before anybody else does: who begins to finish after that is late."""
    failures = [history.first("task-done", label) for label in _failed(left)]
    first = min((e.index for e in failures if e is not None), default=None)
    if first is None:
        return
    for label, outcome in left["children"].items():
        ended = history.first("task-finished", label)
        told = history.of("task-cancelled", label=label)
        if outcome.startswith("result") and ended and ended.index > first and not told:
            yield Finding(
                f"{label} is cancelled: another task of {left.label} failed", "it went on to its end"
            )


def _from_outside(history: History, entered: Event, left: Event) -> Iterator[Finding]:
    task, outcome = entered["task"], left["outcome"]
    requests = cancelled_meanwhile(history, entered, left)
    expected = entered["cancelling"] + len(requests) + left["around"] - entered["around"]
    if left["cancelling"] != expected:
        yield Finding(
            f"cancelling() is {expected} behind {left.label}: a group takes back its own request alone",
            f"it is {left['cancelling']!r}",
        )
    taken = any(
        entered.index < start.index < end.index < left.index
        and takes_earlier_cancellation(history, start, end)
        for start, end in blocks(history, "timeout")
    )
    if requests and not outcome.startswith("cancelled") and not taken:
        later_on = any(e.index > left.index for e in history.of("task-cancelled", label=task))
        done = history.first("task-done", task)
        if not later_on and done is not None and done["outcome"].startswith("result"):
            yield Finding(
                f"the cancellation of {task} leaves {left.label}, or meets its next await",
                f"the block ended with: {outcome}, and {task} is {done['outcome']}",
            )
    if (
        outcome.startswith("cancelled")
        and not requests
        and left["around"] == entered["around"]
        and not awaits_something_cancelled(history, left)
    ):
        yield Finding(f"no CancelledError leaves {left.label}: nobody cancelled {task}", f"it was {outcome}")
