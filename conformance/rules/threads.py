"""THR: other threads, signal handlers and finalisers."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..program import Program
from ..strategies import action, bodies, joined, later, programs, several, soon, threadsafe
from .queries import LATE_S, each_once, in_order, late, runs_ended
from .rule import Finding, rule

_THREADSAFE = "asyncio-eventloop docs, loop.call_soon_threadsafe"


@rule(
    "THR-01",
    "R",
    "call_soon_threadsafe wakes a blocked loop promptly",
    source=f"{_THREADSAFE}; CPython test_events",
    programs=programs(
        several(later(st.integers(30, 60))(st.just(())), 0, 1),
        action("thread", "T", joined(("block", 4), several(threadsafe(), 1, 3))).map(lambda t: (t,)),
        ("run",),
    ),
    timed=True,
    cost=2,
)
def wakes(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    calls = history.scheduled("threadsafe")
    yield from each_once(history, calls)
    yield from late(history, calls)


@rule(
    "THR-02",
    "C",
    "no wake-up is lost between the look at the ready queue and the poll",
    source="uvloop #408; gh-156054; libuv uv_async_send",
    programs=st.tuples(st.integers(20, 150), st.integers(1, 3)).map(
        lambda made: (
            *(("thread", f"T{i}", (("pingpong", f"p{i}", made[0]),)) for i in range(made[1])),
            ("run",),
        )
    ),
    timed=True,
    cost=3,
)
def no_lost_wake_up(history: History) -> Iterator[Finding]:
    for lost in history.of("lost"):
        yield Finding(f"{lost.label} runs at once: a thread waits for it", "the thread waited in vain")
    if not history.of("lost"):
        yield from runs_ended(history)


@rule(
    "THR-03",
    "C",
    "a flood from many threads neither blocks, nor loses, nor doubles a callback",
    source="CPython test_selector_events",
    programs=programs(
        st.lists(st.integers(100, 500), min_size=2, max_size=3).map(
            lambda counts: tuple(("thread", f"T{i}", (("flood", f"x{i}", n),)) for i, n in enumerate(counts))
        ),
        several(soon(st.sampled_from([(("block", 30),), ()])), 1, 1),
        ("run",),
    ),
    cost=3,
)
def flood(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    calls = history.scheduled("threadsafe")
    yield from each_once(history, calls)
    for lane in {call.lane for call in calls}:
        yield from in_order(
            history, [call for call in calls if call.lane == lane], f"thread {lane} scheduled them so"
        )


_SCHEDULING = ("call_soon", "call_soon_threadsafe", "call_later", "call_at", "run_in_executor")


@rule(
    "THR-04",
    "R",
    "on a closed loop every scheduling call raises RuntimeError",
    source=f"{_THREADSAFE}; loop.close",
    programs=st.tuples(st.booleans(), st.permutations(_SCHEDULING)).map(
        lambda made: (
            *((("soon", "c0", ()), ("run",)) if made[0] else ()),
            ("close",),
            *(("attempt", name) for name in made[1]),
        )
    ),
)
def closed(history: History) -> Iterator[Finding]:
    for attempt in history.of("attempted"):
        if attempt.label in _SCHEDULING and not str(attempt["error"]).startswith("RuntimeError"):
            yield Finding(
                f"{attempt.label} on a closed loop raises RuntimeError",
                f"it raised {attempt['error']}" if attempt["error"] else f"it returned {attempt['result']}",
            )


@rule(
    "THR-05",
    "R",
    "in debug mode call_soon raises RuntimeError when called from another thread",
    source="asyncio-dev docs, Debug Mode; CPython test_base_events",
    programs=programs(
        ("debug",),
        soon(action("thread", "T", several(soon(), 1, 2)).map(lambda t: (t,))).map(lambda a: (a,)),
        ("run",),
    ),
)
def wrong_thread(history: History) -> Iterator[Finding]:
    for call in history.of("called"):
        if call.lane == "T" and not str(call.get("error")).startswith("RuntimeError"):
            yield Finding(
                "call_soon from thread T raises RuntimeError", f"it raised {call.get('error') or 'nothing'}"
            )


def _signalling(origin: str, count: int) -> Program:
    signals: Program = tuple(("signal",) for _ in range(count))
    from_where: Program = {
        "main": signals,
        "callback": (("soon", "c0", signals),),
        "timer": (("later", "c0", 3, signals),),
        "thread": (("thread", "T", (("block", 3), ("threadsafe", "c0", signals))),),
    }[origin]
    return (("on_signal", "s", ()), *from_where, ("run",))


# Nothing is due that would wake the loop: it sleeps when the signal comes.
_SIGNALLED_AT_REST = programs(
    action("on_signal", "s", bodies([soon, later(), threadsafe], min_size=0, max_leaves=3)).map(
        lambda a: (a,)
    ),
    soon(
        action(
            "thread",
            "T",
            joined(
                action("block", st.integers(3, 8)).map(lambda block: (block,)),
                ("signal",),
                several(st.one_of(st.just(("signal",)), action("block", st.integers(1, 5))), 0, 2),
            ),
        ).map(lambda thread: (thread,))
    ).map(lambda a: (a,)),
    ("run",),
)


def _finalising(how: str, nested: bool) -> Program:
    drop = (("finalize", "f", (), how),)
    return ((("soon", "c0", drop),) if nested else drop) + (("soon", "c1", ()), ("run",))


@rule(
    "THR-06",
    "R",
    "call_soon_threadsafe is safe from a signal handler, also while the loop sleeps, and, re-entrantly, from "
    "__del__",
    source=f"{_THREADSAFE}; CPython gc and signal docs; PEP 475",
    programs=st.one_of(
        _SIGNALLED_AT_REST,
        st.builds(_signalling, st.sampled_from(["main", "callback", "timer", "thread"]), st.integers(1, 3)),
        st.builds(_finalising, st.sampled_from(["drop", "cancel", "inside"]), st.booleans()),
    ),
    timed=True,
    needs="signals",
)
def reentrant(history: History) -> Iterator[Finding]:
    calls = history.scheduled("threadsafe")
    for signalled in history.of("signalled"):
        handled = next((call for call in calls if call.index > signalled.index), None)
        if handled is not None and handled.at - signalled.at > LATE_S * history.tolerance:
            late_ms = (handled.at - signalled.at) * 1000
            yield Finding(
                "a signal handler is called while the loop sleeps", f"{late_ms:.0f} ms later it was"
            )
    yield from late(history, calls)
    yield from runs_ended(history)
    yield from each_once(history, calls)
    for call in history.of("called"):
        if call.get("error"):
            yield Finding(f"call_soon_threadsafe of {call.label} is accepted", f"it raised {call['error']}")
