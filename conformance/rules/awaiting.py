"""CAN: what cancelling does to those that wait for others, and to those they wait for."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..strategies import AWAIT, STEP, action, later, programs, several, soon
from .queries import COARSE_S, runs_ended
from .rule import Finding, rule
from .task_queries import (
    between,
    blocks,
    cancelled_before,
    cancelled_meanwhile,
    every_task_ends,
    was_tampered_with,
)

_INNER_STEPS = several(st.one_of(STEP, AWAIT), 1, 3)
_AT_MS = st.sampled_from([0.5, 1, 1.5, 2])
_SETTLING = st.sampled_from(
    [("resolve", "f0"), ("resolve", "f0"), ("fail_future", "f0"), ("cancel_future", "f0")]
)
_RELEASE = (("later", None, 6, (("resolve", "f0"),)),)


def cancelled_directly(history: History, label: str) -> bool:
    """Whether the program itself asked to cancel that future or task."""
    return any(e["said"] for e in history.of("cancel-requested", "future-cancelled", label=label))


_SHIELDED = st.one_of(
    action("cancel_task", "t1"),
    action("cancel_task", "t1"),
    action("cancel_future", "s0"),
    action("cancel_task", "t0"),
    _SETTLING,
)


@rule(
    "CAN-08",
    "R",
    "shield() keeps the inner task from the cancellation of the outer one, "
    "and passes on what becomes of the inner one",
    source="asyncio-task docs, asyncio.shield; CPython test_tasks",
    programs=programs(
        ("future", "f0"),
        several(action("task", "t0", _INNER_STEPS), 1, 1),
        (("shield", "s0", "t0"), ("task", "t1", (("await", "s0"),))),
        several(st.one_of(soon(several(_SHIELDED, 1, 2)), later(_AT_MS)(several(_SHIELDED, 1, 2))), 1, 3),
        _RELEASE,
        ("run",),
    ),
)
def shields_hold(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for made in history.of("combined"):
        if made["by"] != "shield":
            continue
        inner = made["of"][0]
        ended = history.first("task-done", inner)
        by_itself = cancelled_directly(history, inner) or bool(history.of("future-cancelled", label="f0"))
        if ended and ended["outcome"].startswith("cancelled") and not by_itself:
            yield Finding(
                f"{inner} survives behind shield(): nobody cancelled it", f"it is {ended['outcome']}"
            )
        settled = history.first("settled", made.label)
        if settled is None or made["done"] or cancelled_directly(history, made.label):
            continue
        inner_says, outer_says = settled["parts"][inner], settled["outcome"]
        outer_cancelled = any(e["said"] for e in history.of("cancel-requested") if e.label != inner)
        if not outer_cancelled and outer_says.partition("[")[0] != inner_says.partition("[")[0]:
            yield Finding(f"{made.label} is {inner_says}, like the shielded {inner}", f"it is {outer_says}")


_WAITED = st.one_of(
    action("cancel_task", "t1"),
    action("cancel_task", "t1", "why"),
    _SETTLING,
)
_BOTH_AT_ONCE = st.just((("resolve", "f0"), ("cancel_task", "t1")))
_MEANWHILE = st.one_of(several(_WAITED, 1, 2), _BOTH_AT_ONCE)


@rule(
    "CAN-09",
    "R",
    "wait_for() cancels what it waited for in vain and waits until that is done; "
    "it never hides a cancellation of the task that waits",
    source="asyncio-task docs, asyncio.wait_for; bpo-32751, bpo-37658, gh-86296; CPython test_waitfor",
    programs=programs(
        ("future", "f0"),
        several(action("task", "t0", _INNER_STEPS, st.sampled_from([0, 0, 0, 1])), 1, 1),
        several(
            st.tuples(
                action(
                    "wait_for",
                    st.sampled_from(["t0", "f0", "f0"]),
                    st.sampled_from([-1, 0, 0.5, 1, 2, 20, "none"]),
                ),
                several(STEP, 0, 1),
            ).map(lambda parts: ("task", "t1", (parts[0], *parts[1]))),
            1,
            1,
        ),
        several(st.one_of(soon(_MEANWHILE), later(_AT_MS)(_MEANWHILE)), 0, 3),
        _RELEASE,
        ("run",),
    ),
)
def wait_for_waits(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for entered, left in blocks(history, "wait_for"):
        inner, outcome = left.label, left["outcome"]
        if outcome == "TimeoutError":
            if left["inner"] == "pending":
                yield Finding(f"{inner} is done when wait_for() raises TimeoutError", "it is pending")
            if (
                entered["delay"] is None
                or left["loop_time"] < entered["loop_time"] + entered["delay"] - COARSE_S
            ):
                yield Finding(
                    f"wait_for() gives up after {entered['delay']} s",
                    f"it gave up after {left['loop_time'] - entered['loop_time']:.4f} s",
                )
        elif outcome.startswith("cancelled") and not left["asked"]:
            yield Finding(f"{inner} is cancelled with wait_for()", "nobody asked it to cancel")
        yield from _not_hidden(history, entered, left)


def _not_hidden(history: History, entered: Event, left: Event) -> Iterator[Finding]:
    inner, outcome = left.label, left["outcome"]
    swallowed = any(e["swallowed"] for e in between(history, entered, left, "task-cancelled", inner))
    if swallowed or was_tampered_with(history, entered, left) or cancelled_before(history, entered):
        return  # cancelling who waits is cancelling what it waits for, and that went on
    requests = cancelled_meanwhile(history, entered, left)
    if requests and not outcome.startswith("cancelled") and left["inner"] != outcome:
        yield Finding(
            f"the cancellation of {left['task']}, which waits for {inner}, leaves wait_for()",
            f"it {outcome}" if outcome == "returned" else f"{outcome} left it",
        )


_PARTS = st.one_of(
    action("cancel_task", "t2"),
    action("cancel_future", "g0"),
    st.sampled_from([("cancel_task", "t0"), ("cancel_task", "t1")]),
    _SETTLING,
)


@rule(
    "CAN-18",
    "R",
    "cancelling gather() cancels all that are not done, and who awaits it is cancelled with it; "
    "a part that fails or is cancelled leaves the others alone",
    source="asyncio-task docs, asyncio.gather; CPython test_tasks; bpo-26923",
    programs=programs(
        ("future", "f0"),
        several(action("task", "t0", _INNER_STEPS), 1, 1),
        several(action("task", "t1", several(st.one_of(STEP, STEP, st.just(("fails",))), 1, 3)), 1, 1),
        several(action("gather", "g0", st.sampled_from(["first error", "all outcomes"]), "t0", "t1"), 1, 1),
        (("task", "t2", (("await", "g0"), ("yield",))),),
        several(st.one_of(soon(several(_PARTS, 1, 2)), later(_AT_MS)(several(_PARTS, 1, 2))), 0, 3),
        _RELEASE,
        ("run",),
    ),
)
def gathered_together(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for made in history.of("combined"):
        settled = history.first("settled", made.label)
        if made["by"] != "gather" or settled is None:
            continue
        parts, outcome = settled["parts"], settled["outcome"]
        pending = [label for label, says in parts.items() if says == "pending"]
        cancelled = cancelled_directly(history, made.label)
        # Who awaits it may be cancelled before it waits, or when all parts are done: gather() is not told.
        asked = cancelled or any(
            e["said"] for e in history.of("cancel-requested") if e.label not in made["of"]
        )
        if outcome.startswith("result") and (pending or cancelled):
            reason = "which was cancelled" if cancelled else f"of which {', '.join(pending)} is not done"
            yield Finding(f"{made.label}, {reason}, has no result", f"it is {outcome}")
        for label in made["of"]:
            done = history.first("task-done", label)
            by_future = bool(history.of("future-cancelled", label="f0"))
            if (
                done is not None
                and done["outcome"].startswith("cancelled")
                and not (asked or by_future or cancelled_directly(history, label))
            ):
                yield Finding(f"{label} goes on whatever becomes of the others", f"it is {done['outcome']}")
