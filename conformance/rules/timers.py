"""TMR: when timers fire."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from hypothesis import strategies as st

from ..history import History
from ..strategies import (
    CANCEL,
    NEAR_MS,
    PROBE,
    action,
    at,
    bodies,
    joined,
    later,
    programs,
    several,
    soon,
    threadsafe,
)
from .queries import COARSE_S, deadline_order, due_window, each_once, late, not_refused, runs_ended
from .rule import Finding, rule

_CALL_LATER = "asyncio-eventloop docs, loop.call_later"
_EPSILON_S = 1e-9


@rule(
    "TMR-01",
    "R",
    "a timer runs once, and never before its deadline less one clock resolution",
    source=f"{_CALL_LATER} and loop.call_at; uvloop #233; gh-116342; gh-127859",
    programs=programs(bodies([later(), later(0), at(), at(0), soon], max_leaves=8), ("run",)),
)
def never_early(history: History) -> Iterator[Finding]:
    calls = history.scheduled("later", "at")
    yield from not_refused(history)
    yield from each_once(history, calls)
    for call in calls:
        for begin in history.begins(call.label):
            if call["via"] == "later":
                early = call["started"] + call["delay"] - begin.at
            else:
                early = call["deadline"] - begin["loop_time"]
            if early > history.resolution + _EPSILON_S:
                yield Finding(
                    f"{call.label} runs {call['delay'] * 1000:g} ms after it was armed, or later",
                    _early(early),
                )


def _early(seconds: float) -> str:
    return f"it came {seconds * 1000:.3f} ms early"


@rule(
    "TMR-02",
    "R",
    "different future deadlines fire in deadline order",
    source=f"{_CALL_LATER}; uvloop #739",
    programs=programs(several(later()(st.just(())), 1, 6), bodies([later(), soon], max_leaves=6), ("run",)),
)
def in_deadline_order(history: History) -> Iterator[Finding]:
    yield from deadline_order(history)


@rule(
    "TMR-03",
    "C",
    "overdue timers that come due together fire in deadline order",
    source="CPython base_events._run_once",
    programs=programs(
        several(soon(joined(several(later()(st.just(())), 2, 6), ("block", 7))), 1, 1),
        ("run",),
    ),
)
def overdue_in_order(history: History) -> Iterator[Finding]:
    yield from deadline_order(history)


@rule(
    "TMR-04",
    "own",
    "equal deadlines fire in the order in which they were armed",
    source="muxloop; the asyncio-eventloop docs leave this order open",
    programs=programs(
        several(at(st.sampled_from([2, 3]))(st.just(())), 2, 8),
        several(soon(several(at(st.sampled_from([2, 3]))(st.just(())), 0, 4)), 0, 2),
        ("run",),
    ),
    capability="fifo-deadlines",
)
def equal_deadlines(history: History) -> Iterator[Finding]:
    calls = [call for call in history.scheduled("at") if history.begins(call.label)]
    for first, second in pairwise(calls):
        if first["deadline"] == second["deadline"]:
            begins = history.begins(first.label)[0], history.begins(second.label)[0]
            if begins[0].index > begins[1].index and second["loop_after"] < second["deadline"]:
                yield Finding(
                    f"{first.label} before {second.label}: armed first for the same time", "it ran after it"
                )


_NOW_MS = st.sampled_from([0, -1, -1000])


@rule(
    "TMR-05",
    "R",
    "zero and negative delays run as soon as possible, and call_later returns a TimerHandle for them too",
    source=f"{_CALL_LATER}",
    programs=programs(bodies([later(_NOW_MS), soon, later(30)], max_leaves=5), ("run",)),
)
def zero_delays(history: History) -> Iterator[Finding]:
    calls = history.scheduled("later")
    yield from not_refused(history)
    yield from each_once(history, calls)
    for call in calls:
        if not call["is_timer"]:
            yield Finding(
                f"call_later({call['delay']:g}) returns an asyncio.TimerHandle",
                f"it returned a {call['type']}",
            )
    for now in (call for call in calls if call["delay"] <= 0):
        for other in (call for call in calls if call["delay"] > 0 and call["within"] == now["within"]):
            first, second = history.first("begin", now.label), history.first("begin", other.label)
            if first and second and first.index > second.index:
                yield Finding(
                    f"{now.label}, due at once, before {other.label}, due in 30 ms",
                    f"{other.label} ran first",
                )


@rule(
    "TMR-06",
    "R",
    "TimerHandle.when() is exactly the deadline on loop.time()'s base, "
    "also after cancelling and after firing",
    source="asyncio-eventloop docs, TimerHandle.when; CPython test_events; uvloop #468",
    programs=programs(
        bodies([later(), at()], [CANCEL], max_leaves=6),
        several(PROBE, 0, 2),
        ("run",),
        several(PROBE, 1, 4),
        several(CANCEL, 0, 2),
    ),
)
def when_is_the_deadline(history: History) -> Iterator[Finding]:
    for call in history.scheduled("later", "at"):
        when = call.get("when")
        low, high = due_window(call)
        if not isinstance(when, float) or not low - _EPSILON_S <= when <= high + _EPSILON_S:
            yield Finding(
                f"when() of {call.label} is its deadline, {_span(low, high)} on the loop's clock",
                f"it is {when!r}",
            )
            continue
        for again in history.of("probed", "cancelled", label=call.label):
            if again["when"] != when:
                what = (
                    "after cancel()"
                    if again.kind == "cancelled" or history.cancels(call.label)
                    else "later on"
                )
                yield Finding(f"when() of {call.label} is still {when!r} {what}", f"it is {again['when']!r}")


def _span(low: float, high: float) -> str:
    return f"{low!r}" if low == high else f"{low:.6f} to {high:.6f}"


@rule(
    "TMR-07",
    "R",
    "loop.time() is a float of a clock that never goes back",
    source="asyncio-eventloop docs, loop.time",
    programs=programs(bodies([soon, later()], [action("block", 0.3)], max_leaves=6), ("run",)),
)
def monotonic(history: History) -> Iterator[Finding]:
    readings: list[tuple[str, object]] = []
    for event in history.events:
        if event.kind == "called" and "loop_before" in event.data and event.lane in ("main", "loop"):
            readings.append((event.label, event["loop_before"]))
        elif event.kind == "begin":
            readings.append((event.label, event["loop_time"]))
    last = float("-inf")
    for label, reading in readings:
        if not isinstance(reading, float):
            yield Finding("loop.time() is a float", f"it is {reading!r}")
        elif reading < last:
            yield Finding(f"loop.time() is at least {last!r} at {label}", f"it is {reading!r}")
        else:
            last = reading


_ROUNDS = 25


@rule(
    "TMR-08",
    "C",
    "a delay of less than a millisecond is slept through, not spun through",
    source="tornado #978; bpo-20311; bpo-20505; mio #1614; CPython test_events",
    programs=st.integers(7, 9).map(
        lambda tenths: (
            ("soon", "warm", ()),
            ("run",),
            ("measure", "before"),
            ("later", "short", tenths / 10, (("again", _ROUNDS),)),
            ("run",),
            ("measure", "between"),
            ("later", "zero", 0, (("again", _ROUNDS),)),
            ("run",),
            ("measure", "after"),
        )
    ),
    timed=True,
    cost=8,
)
def no_spinning(history: History) -> Iterator[Finding]:
    before, between, after = (history.first("measured", name) for name in ("before", "between", "after"))
    if not before or not between or not after:
        return
    slept_s = history.actions("later")[0][2] / 1000 * _ROUNDS
    busy_s = (between["cpu_s"] - before["cpu_s"]) - (after["cpu_s"] - between["cpu_s"])
    if busy_s > 0.6 * slept_s:
        yield Finding(
            f"{_ROUNDS} sleeps of {slept_s / _ROUNDS * 1000:.1f} ms cost little more CPU than "
            f"{_ROUNDS} of 0 ms",
            f"they cost {busy_s * 1000:.1f} ms of CPU more: {busy_s / slept_s:.0%} of the time slept",
        )


_STRANGE_MS = st.sampled_from(["nan", "inf", 1e13, 1e18])


# What a loop makes of delays below a millisecond, when it comes late, is TMR-03's business.
_NOT_SHORT = later(st.integers(10, 60).map(lambda tenths: tenths / 10))


@rule(
    "TMR-09",
    "C",
    "NaN, infinite and huge delays are refused at the call or inert, and nothing else suffers",
    source="muxloop; CPython arms them",
    programs=programs(
        bodies([_NOT_SHORT, later(_STRANGE_MS), soon], max_leaves=6),
        ("run",),
        bodies([_NOT_SHORT], max_leaves=3),
        ("run",),
    ),
)
def strange_delays(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for call in history.of("called"):
        if "delay" not in call.data:
            continue
        delay = call["delay"]
        error = call.get("error")
        if delay == delay and delay < 1e6:
            if error:
                yield Finding(f"call_later of {call.label} is accepted", f"it raised {error}")
            else:
                yield from each_once(history, [call])
        elif error:
            if not error.startswith(("ValueError", "OverflowError")):
                yield Finding(
                    f"a delay of {delay} is refused with ValueError or OverflowError", f"it raised {error}"
                )
        elif history.begins(call.label):
            yield Finding(f"{call.label} with a delay of {delay} s never runs", "it ran")
    if any(not call["delay"] < 1e6 for call in history.scheduled("later")):
        yield from deadline_order(history, 2 * COARSE_S)


_NEAR_TIMER = several(later(NEAR_MS)(st.just(())), 1, 2)


@rule(
    "TMR-10",
    "R",
    "a timer armed inside any callback shortens the wait that follows",
    source=_CALL_LATER,
    programs=programs(
        several(later(st.integers(200, 250))(st.just(())), 0, 1),
        st.sampled_from(["thread", "reader", "timer", "soon"]).flatmap(
            lambda origin: {
                "thread": st.tuples(
                    action("thread", "T", joined(("block", 4), several(threadsafe(_NEAR_TIMER), 1, 1)))
                ),
                "reader": st.tuples(
                    action("reader", 0, None, joined(("recv", 0, 8), _NEAR_TIMER)), st.just(("send", 0, 1))
                ),
                "timer": st.tuples(later(3)(_NEAR_TIMER)),
                "soon": st.tuples(soon(_NEAR_TIMER)),
            }[origin]
        ),
        ("run",),
    ),
    timed=True,
    cost=3,
)
def shortened_wait(history: History) -> Iterator[Finding]:
    near = [call for call in history.scheduled("later") if call["delay"] < 0.1]
    yield from each_once(history, near)
    far = [call for call in history.scheduled("later") if call["delay"] >= 0.1]
    for call in near:
        first = history.first("begin", call.label)
        for other in far:
            second = history.first("begin", other.label)
            if first and second and first.index > second.index:
                yield Finding(
                    f"{call.label} runs when it is due",
                    f"the loop slept until {other.label}, armed before it, was due",
                )
                return
    yield from late(history, near)


_SHORT = st.lists(st.integers(20, 60), min_size=5, max_size=8).map(
    lambda tenths: tuple(
        step
        for i, ms in enumerate(tenths)
        for step in (("soon", f"s{i}", (("later", f"c{i}", ms / 10, ()),)), ("run",))
    )
)
_ROW = 350
"""So many timers in one row of ``_EACH_MS``, a millisecond after the other."""
# Wheels and hierarchies of them err where a delay is a whole number of turns: so each delay has its timer.
# None is below a millisecond: a loop that rounds such a delay to nothing is HEAP-03's business, and would be
# blamed here only on a machine so slow that arming the rows takes longer than _OVERTAKEN_S.
_EACH_MS = st.tuples(st.integers(2, 3), st.integers(10, 19)).map(
    lambda drawn: tuple(
        ("bulk", f"b{row}", _ROW, row * _ROW + drawn[1] / 10, 1000) for row in range(drawn[0])
    )
)
_ARMED_LATER = st.integers(10, 19).map(lambda tenths: (("bulk", "l", _ROW, tenths / 10, 3000),))
"""Once more for a second, by a loop that has seen timers of a second and more through."""
_OVERTAKEN_S = 0.01
"""A timer that was overtaken by one due so much later was late, however busy the machine."""


@rule(
    "TMR-11",
    "C",
    "at rest, a timer runs, and is no later than one poll resolution (1 ms) and the machine's own slack, "
    "whatever its delay",
    source="epoll_wait(2), poll(2): milliseconds, rounded up",
    programs=programs(_SHORT, _EACH_MS, ("run",), _ARMED_LATER, ("run",)),
    timed=True,
    cost=10,
    version=2,
)
def precise(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from each_once(history, history.scheduled("later"))
    lateness = [
        history.begins(call.label)[0].at - call["returned"] - call["delay"]
        for call in history.scheduled("later")
        if history.begins(call.label) and call["within"]
    ]
    allowed = 0.001 + 0.001 * history.tolerance
    if lateness and min(lateness) > allowed:
        yield Finding(
            f"the best of {len(lateness)} timers is at most {allowed * 1000:g} ms late",
            f"the best is {min(lateness) * 1000:.2f} ms late",
        )
    yield from deadline_order(history, _OVERTAKEN_S)
    yield from _late_together(history)


def _late_together(history: History) -> Iterator[Finding]:
    """Of the timers of each tenth of a second one at least came promptly: who sleeps on for all is late."""
    allowed_s = 0.01 + 0.01 * history.tolerance
    lateness: dict[int, list[float]] = {}
    for call in history.scheduled("later"):
        begins = [] if call["within"] else history.begins(call.label)
        for begin in begins[:1]:
            late_s = begin.at - call["returned"] - call["delay"]
            lateness.setdefault(int(call["delay"] * 10), []).append(late_s)
    for tenth, found in sorted(lateness.items()):
        if min(found) > allowed_s:
            yield Finding(
                f"the best of {len(found)} timers due after {tenth / 10:g} to {(tenth + 1) / 10:g} s "
                f"is at most {allowed_s * 1000:.0f} ms late",
                f"the best is {min(found) * 1000:.0f} ms late",
            )


@rule(
    "TMR-12",
    "R",
    "in debug mode call_later and call_at raise RuntimeError when called from another thread",
    source="asyncio-dev docs, Debug Mode; CPython test_base_events",
    programs=programs(
        ("debug",),
        soon(
            action("thread", "T", several(st.one_of(later()(st.just(())), at()(st.just(()))), 1, 3)).map(
                lambda t: (t,)
            )
        ).map(lambda a: (a,)),
        ("run",),
    ),
)
def wrong_thread(history: History) -> Iterator[Finding]:
    for call in history.of("called"):
        if call.lane == "T" and not str(call.get("error")).startswith("RuntimeError"):
            via = {"later": "call_later", "at": "call_at"}.get(call["via"], call["via"])
            yield Finding(
                f"{via} from thread T raises RuntimeError", f"it raised {call.get('error') or 'nothing'}"
            )
