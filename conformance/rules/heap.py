"""HEAP: what becomes of cancelled timers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..program import Program
from ..strategies import CANCEL, EMPTY, at, bodies, later, programs, several, soon, threadsafe
from .queries import COARSE_S, deadline_order, each_once, late, never_after_cancel, not_refused, runs_ended
from .rule import Finding, rule

_CHURN = 1000
_CHURN_ROUNDS = 15
_RESTS = 15


def _churning(far_ms: int, apart_us: int, head_ms: int | None) -> Program:
    """Arm and cancel far timers by the thousand, with or without a live one due before or after them.

    A loop may keep timers of different times in different places: so they are due together, or far apart.
    """

    def churn(name: str, rounds: int) -> Program:
        steps = (("bulk", name, _CHURN, far_ms, apart_us), ("cancel_bulk", name, 0), ("again", rounds))
        return (("soon", f"churn {name}", steps), ("run",))

    head = (("later", "head", head_ms, ()),) if head_ms else ()
    # A wheel meets the cancelled ones at its next turn: what counts is what stays after that.
    rest: Program = (("later", "rest", 40, (("again", _RESTS),)), ("run",))
    return (
        *head,
        *churn("w", 3),
        *rest,
        ("measure", "before"),
        *churn("t", _CHURN_ROUNDS),
        *rest,
        ("measure", "after"),
    )


@rule(
    "HEAP-01",
    "C",
    "arming and cancelling many far timers keeps memory bounded, whatever live timer sits at the head",
    source="bpo-22448; CPython test_base_events",
    programs=st.builds(
        _churning,
        st.sampled_from([20_000, 60_000]),
        st.sampled_from([1, 20_000]),
        st.sampled_from([None, 30_000]),
    ),
    timed=True,
    cost=10,
)
def bounded_memory(history: History) -> Iterator[Finding]:
    before, after = history.first("measured", "before"), history.first("measured", "after")
    if not before or not after:
        return
    timers = _CHURN * _CHURN_ROUNDS
    grown = {
        "memory blocks": ((after.get("blocks", 0) - before.get("blocks", 0)), timers // 2),
        "bytes of objects": ((after.get("heap_bytes", 0) - before.get("heap_bytes", 0)), 100 * timers),
        "bytes of memory": ((after.get("resident_bytes", 0) - before.get("resident_bytes", 0)), 100 * timers),
    }
    for what, (growth, allowed) in grown.items():
        if growth > allowed:
            yield Finding(
                f"{timers} timers, armed and cancelled, leave fewer than {allowed} {what} behind",
                f"they left {growth:.0f}",
            )


_BULKS = st.lists(
    st.tuples(
        st.integers(110, 300),
        st.integers(1, 5),
        st.sampled_from([0, 7, 40]),
        st.sampled_from([7, 3, 0, 2, 1]),
    ),
    min_size=1,
    max_size=4,
)


def _bulks(made: list[tuple[int, int, int, int]], nest: bool) -> Program:
    steps: list[tuple[object, ...]] = []
    for i, (count, ms, us, keep) in enumerate(made):
        # No delay is below a millisecond: what a loop makes of those is TMR-03's business.
        steps += [("bulk", f"b{i}", count, ms + max(0, math.ceil(-count * us / 1000)), us)]
        steps += [("cancel_bulk", f"b{i}", keep)]
        if nest:
            steps = [("soon", f"n{i}", tuple(steps))]
    return (*steps, ("run",))


_SPREAD = st.lists(
    st.tuples(
        st.integers(110, 300),
        # Armed in the order of their deadlines, or in the reverse: then a heap is no sorted list.
        *(st.integers(1, 5), st.sampled_from([40, 60, -40, -60]), st.sampled_from([3, 7, 2])),
    ),
    min_size=1,
    max_size=3,
)
_MIXED = st.builds(_bulks, _BULKS, st.booleans())
# A second and more: whoever keeps timers by turns of a wheel or by seconds has them in several.
_LONG = st.builds(
    _bulks,
    st.lists(
        st.tuples(st.integers(250, 300), st.integers(150, 300), st.just(4000), st.sampled_from([3, 7, 2])),
        min_size=1,
        max_size=2,
    ),
    st.booleans(),
)


_SAME_MS = st.sampled_from([2, 2, 3])
# Few timers, several for the very same time: which of them is cancelled matters. None is cancelled in the
# batch that fires it, which CAN-01 is about.
_EQUAL = programs(several(at(_SAME_MS)(EMPTY), 2, 8), several(CANCEL, 1, 4), ("run",))


@rule(
    "HEAP-02",
    "C",
    "cleaning up cancelled timers never drops, doubles or delays a live one, also one of the same deadline",
    source="CPython base_events._run_once",
    programs=st.one_of(_MIXED, _MIXED, _EQUAL, _EQUAL, _LONG),
    cost=2,
)
def live_ones_stay(history: History) -> Iterator[Finding]:
    yield from each_once(history, history.live())
    yield from never_after_cancel(history)
    yield from late(history, history.live())


@rule(
    "HEAP-03",
    "C",
    "deadline order survives the clean-up of cancelled timers",
    source="CPython base_events._run_once",
    programs=st.builds(_bulks, _SPREAD, st.booleans()),
    cost=3,
)
def order_survives(history: History) -> Iterator[Finding]:
    yield from deadline_order(history, COARSE_S)


@rule(
    "HEAP-04",
    "C",
    "cancel() releases the callback, its arguments and its context at once",
    source="CPython events.Handle.cancel; python/asyncio #186",
    programs=programs(
        bodies([later(), at(), soon, threadsafe], [CANCEL], max_leaves=5), several(CANCEL, 1, 2), ("run",)
    ),
)
def released(history: History) -> Iterator[Finding]:
    for cancel in history.of("cancelled"):
        if cancel["released"] is False and not cancel["running"]:
            yield Finding(
                f"cancel() of {cancel.label} lets go of its callback and argument", "they are still alive"
            )


def _recounted(count: int, keep: int, again: int) -> Program:
    """Cancel twice, cancel after firing, and cancel inside the batch that fires."""
    return (
        ("bulk", "fired", count, 1, 0),
        ("run",),
        ("cancel_bulk", "fired", 0),
        ("cancel_bulk", "fired", 0),
        ("bulk", "live", count, 3, 10),
        ("cancel_bulk", "live", keep),
        ("cancel_bulk", "live", keep),
        (
            "soon",
            "batch",
            (
                ("later", "first", 1, (("cancel_bulk", "same", again),)),
                ("bulk", "same", 5, 1, 0),
                ("block", 2),
            ),
        ),
        ("run",),
        ("bulk", "more", count, 2, 10),
        ("run",),
    )


@rule(
    "HEAP-05",
    "C",
    "the count of cancelled timers stays right through double cancel, "
    "cancel after firing and cancel in the firing batch",
    source="CPython base_events._timer_handle_cancelled",
    programs=st.builds(_recounted, st.integers(5, 130), st.sampled_from([0, 2, 5]), st.sampled_from([0, 2])),
    cost=3,
)
def count_stays_right(history: History) -> Iterator[Finding]:
    yield from not_refused(history)
    yield from runs_ended(history)
    cancelled_alive = {e.label for e in history.of("cancelled") if not history.begins(e.label)}
    yield from each_once(history, (call for call in history.scheduled() if call.label not in cancelled_alive))
    yield from never_after_cancel(history)
    yield from deadline_order(history, COARSE_S)


_DEAD = 20


@rule(
    "HEAP-06",
    "C",
    "a loop that is left with cancelled timers does not wake up for them",
    source="CPython base_events._run_once",
    programs=st.sampled_from([1000, 1500]).map(
        lambda us: (
            ("soon", "warm", ()),
            ("run",),
            ("measure", "before"),
            (
                "soon",
                "c0",
                (("bulk", "dead", _DEAD, 2, us), ("cancel_bulk", "dead", 0), ("later", "last", 35, ())),
            ),
            ("run",),
            ("measure", "after"),
        )
    ),
    timed=True,
    cost=6,
    needs="waits",
)
def no_wake_up(history: History) -> Iterator[Finding]:
    before, after = history.first("measured", "before"), history.first("measured", "after")
    if before and after and after["waits"] - before["waits"] >= _DEAD * 0.5:
        waits = after["waits"] - before["waits"]
        yield Finding(
            f"a few waits beside {_DEAD} cancelled timers", f"the thread went to sleep {waits:.0f} times"
        )


_FEW, _MANY = 2_000, 16_000


def _costing(live: int, step_us: int) -> Program:
    def churn(name: str, count: int) -> Program:
        return (
            ("soon", f"do {name}", (("bulk", name, count, 20_000, step_us), ("cancel_bulk", name, 0))),
            ("run",),
        )

    return (
        ("bulk", "live", live, 30_000, 0),
        *churn("warm", _FEW),
        ("measure", "start"),
        *churn("few", _FEW),
        ("measure", "few"),
        *churn("many", _MANY),
        ("measure", "many"),
    )


@rule(
    "HEAP-07",
    "own",
    "arm and cancel cost O(log n), amortised: no quadratic sweeps",
    source="muxloop; CPython base_events._run_once",
    programs=st.builds(_costing, st.sampled_from([1000, 3000]), st.sampled_from([0, 10, -1])),
    timed=True,
    cost=10,
)
def cheap(history: History) -> Iterator[Finding]:
    start, few, many = (history.first("measured", name) for name in ("start", "few", "many"))
    if not start or not few or not many:
        return
    small = (few["cpu_s"] - start["cpu_s"]) / _FEW
    large = (many["cpu_s"] - few["cpu_s"]) / _MANY
    if large > 5 * small:
        yield Finding(
            f"arming and cancelling {_MANY} timers costs about as much for each as {_FEW} do, "
            f"{small * 1e6:.2f} µs",
            f"it costs {large * 1e6:.2f} µs for each",
        )
