"""ORD: in which order callbacks run."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..program import Action, Program
from ..strategies import action, bodies, joined, later, programs, several, soon, threadsafe, with_value
from .queries import each_once, generation, in_order, not_refused, run_number
from .rule import Finding, rule


@rule(
    "ORD-01",
    "R",
    "call_soon is first in, first out, and each callback runs exactly once",
    source="asyncio-eventloop docs, loop.call_soon; CPython test_events",
    programs=programs(bodies([soon]), ("run",)),
)
def fifo(history: History) -> Iterator[Finding]:
    calls = history.scheduled("soon")
    yield from not_refused(history)
    yield from each_once(history, calls)
    yield from in_order(history, calls, "call_soon is first in, first out")


_STOPPING = programs(bodies([soon], [st.just(("stop",))], max_leaves=8), ("run",), ("run",))


def _stopped_generation(history: History) -> tuple[int, int] | None:
    """Of the first stop() inside a callback: in which run it was called, and by which generation."""
    for stop in history.of("stop"):
        if stop.lane == "loop":
            return run_number(history, stop), generation(history, stop["within"])
    return None


@rule(
    "ORD-02",
    "C",
    "a callback scheduled by a callback runs in a later iteration",
    source="asyncio-eventloop docs, loop.stop; CPython base_events._run_once",
    programs=_STOPPING,
)
def later_iteration(history: History) -> Iterator[Finding]:
    stopped = _stopped_generation(history)
    if stopped is None:
        return
    run, last = stopped
    for begin in history.of("begin"):
        if run_number(history, begin) == run and generation(history, begin.label) > last:
            yield Finding(
                f"{begin.label} waits for a later iteration, which stop() keeps from happening in this run",
                f"{begin.label} ran in the batch of the callback that scheduled it",
            )


@rule(
    "ORD-03",
    "P",
    "callbacks never re-enter each other",
    source="PEP 3156, Callback Style",
    programs=programs(
        ("future", "f0"),
        several(action("on_done", "f0", None, several(action("resolve", "f1"), 0, 1)), 0, 2),
        ("future", "f1"),
        several(action("on_done", "f1", None, ()), 0, 2),
        bodies(
            [soon, threadsafe, later(0)],
            [
                action("resolve", st.sampled_from(["f0", "f1"])),
                action("finalize", None, ()),
                action("task", "t0", ()),
            ],
        ),
        ("run",),
    ),
)
def not_reentrant(history: History) -> Iterator[Finding]:
    for begin in history.of("begin"):
        if begin["depth"] > 0:
            yield Finding(
                f"{begin.label} runs after the callback that set it off", "it ran inside that callback"
            )


@rule(
    "ORD-04",
    "C",
    "call_soon_threadsafe keeps each thread's own order, and queues behind what is ready",
    source="PEP 3156, Basic Callbacks; CPython test_events",
    programs=programs(
        bodies([soon, threadsafe], max_leaves=6),
        st.lists(st.integers(2, 20), max_size=2).map(
            lambda counts: tuple(("thread", f"T{i}", (("flood", f"x{i}", n),)) for i, n in enumerate(counts))
        ),
        ("run",),
    ),
)
def threadsafe_order(history: History) -> Iterator[Finding]:
    calls = history.scheduled("soon", "threadsafe")
    yield from each_once(history, calls)
    for lane in {call.lane for call in calls} - {"main", "loop"}:
        yield from in_order(history, [c for c in calls if c.lane == lane], f"thread {lane} scheduled them so")
    own = [call for call in calls if call.lane in ("main", "loop")]
    yield from in_order(history, own, "it was queued first")


@rule(
    "ORD-05",
    "C",
    "a call_soon already queued runs before a call_later(0)",
    source="CPython base_events._run_once",
    programs=programs(bodies([soon, later(0)], max_leaves=6), ("run",)),
)
def soon_before_zero_timer(history: History) -> Iterator[Finding]:
    soons = history.scheduled("soon")
    for timer in history.scheduled("later"):
        for call in soons:
            queued_first = call.index < timer.index or call["within"] == timer["within"]
            if queued_first and _began_after(history, call.label, timer.label):
                yield Finding(
                    f"{call.label}, queued by call_soon, before {timer.label}", f"{timer.label} ran first"
                )
                return


def _began_after(history: History, one: str, other: str) -> bool:
    first, second = history.first("begin", one), history.first("begin", other)
    return first is not None and second is not None and first.index > second.index


_ORIGINS = st.sampled_from(["soon", "later", "reader"])


def _due_together(origin: str, readers: int, tenths: list[int]) -> Program:
    """A callback makes fds ready and keeps busy until timers are due too: the next poll finds both."""
    timers = tuple(("later", f"t{i}", tenth / 10, ()) for i, tenth in enumerate(tenths))
    ready = tuple(
        step
        for pair in range(1, readers + 1)
        for step in (("reader", pair, f"r{pair}", (("recv", pair, 8),), "fd"), ("send", pair, 1))
    )
    body = (*timers, *ready, ("block", 4))
    starts: dict[str, Program] = {
        "soon": (("soon", "c0", body),),
        "later": (("later", "c0", 1, body),),
        "reader": (("reader", 0, "c0", (("recv", 0, 8), *body), "fd"), ("send", 0, 1)),
    }
    return (*starts[origin], ("run",))


@rule(
    "ORD-06",
    "C",
    "I/O callbacks are queued before the timers that are due in the same poll",
    source="CPython base_events._run_once",
    programs=st.builds(
        _due_together, _ORIGINS, st.integers(1, 3), st.lists(st.integers(1, 15), min_size=1, max_size=3)
    ),
)
def readers_before_timers(history: History) -> Iterator[Finding]:
    readers = [event.label for event in history.of("watched") if not event["error"] and event["pair"]]
    timers = [call.label for call in history.scheduled("later") if call["within"] or call.label != "c0"]
    for timer in timers:
        for reader in readers:
            if _began_after(history, reader, timer):
                yield Finding(
                    f"{reader}, whose fd is ready, before {timer}, due in the same poll", f"{timer} ran first"
                )
                return


@rule(
    "ORD-07",
    "C",
    "the reader runs before the writer when one fd is both readable and writable",
    source="CPython selector_events._process_events",
    programs=programs(
        st.integers(1, 3).map(
            lambda pairs: (
                (
                    "soon",
                    None,
                    tuple(
                        step
                        for pair in range(pairs)
                        for step in (
                            ("writer", pair, f"w{pair}", (("unwriter", pair),)),
                            ("reader", pair, f"r{pair}", (("recv", pair, 8),)),
                            ("send", pair, 1),
                        )
                    ),
                ),
            )
        ),
        ("run",),
    ),
)
def reader_before_writer(history: History) -> Iterator[Finding]:
    for pair in {event["pair"] for event in history.of("watched")}:
        if _began_after(history, f"r{pair}", f"w{pair}"):
            yield Finding(f"r{pair} before w{pair}: one fd, ready for both", f"w{pair} ran first")


def _busy(schedule: Action) -> Program:
    """Something that re-schedules itself, beside a reader with data and a timer."""
    victims = (("reader", 0, "r", (("recv", 0, 8),)), ("send", 0, 1), ("later", "t", 0.5, ()))
    return (("soon", "c0", (schedule, *victims)), ("run",))


def _starved(history: History, busy: str) -> Iterator[Finding]:
    rounds = history.begins(busy)
    if not rounds:
        return
    for victim, what in (("r", "the reader, whose fd is ready"), ("t", "the timer, due after 0.5 ms")):
        first = history.first("begin", victim)
        watched = [event for event in history.of("watched") if event["error"]]
        if victim == "r" and watched:
            continue
        if first is None or (len(rounds) > 1 and first.index > rounds[-1].index):
            yield Finding(
                f"{what}, runs while {busy} keeps the loop busy",
                f"it had to wait for all {rounds[-1]['run']} rounds",
            )


@rule(
    "ORD-08",
    "C",
    "callbacks that re-schedule themselves starve neither I/O nor timers: I/O is polled between batches",
    source="CPython base_events._run_once",
    programs=st.integers(600, 2000).map(lambda n: _busy(("soon", "busy", (("again", n),)))),
    cost=4,
)
def soon_starves_nobody(history: History) -> Iterator[Finding]:
    yield from _starved(history, "busy")


@rule(
    "ORD-09",
    "C",
    "zero-delay timers re-armed in their own callback do not starve I/O",
    source="libuv #4245; tornado #947",
    programs=st.integers(600, 2000).map(lambda n: _busy(("later", "busy", 0, (("again", n),)))),
    cost=4,
)
def zero_timers_starve_nobody(history: History) -> Iterator[Finding]:
    yield from _starved(history, "busy")


@rule(
    "ORD-10",
    "R",
    "a future's done-callbacks go through call_soon, in the order in which they were added",
    source="asyncio-future docs, Future.add_done_callback; CPython test_futures",
    programs=programs(
        ("future", "f0"),
        several(action("on_done", "f0", None, ()), 1, 5),
        several(soon(st.sampled_from([(("resolve", "f0"),), (("cancel_future", "f0"),)])), 1, 1),
        several(soon(several(action("on_done", "f0", None, ()), 0, 2)), 0, 1),
        ("run",),
    ),
)
def done_callbacks(history: History) -> Iterator[Finding]:
    calls = history.scheduled("done")
    yield from each_once(history, calls)
    yield from in_order(history, calls, "it was added first")
    for resolving in history.of("resolving"):
        ended = next(
            (e for e in history.of("resolved", "future-cancelled") if e.index > resolving.index), None
        )
        for begin in history.of("begin"):
            if ended and resolving.index < begin.index < ended.index:
                yield Finding(
                    f"{begin.label} runs through call_soon",
                    "it ran inside the call that completed the future",
                )


@rule(
    "ORD-11",
    "R",
    "a callback's context is the one current at scheduling, or the context= given; for every scheduling call",
    source="asyncio-eventloop docs, Scheduling callbacks; PEP 567; CPython test_tasks",
    programs=programs(
        ("future", "f0"),
        several(action("on_done", "f0", None, (), st.integers(1, 9)), 0, 1),
        bodies(
            [with_value(soon), with_value(threadsafe), with_value(later()), with_value(later(0))],
            [action("setvar", st.integers(10, 19)), action("resolve", "f0")],
        ),
        joined(several(soon(several(action("resolve", "f0"), 1, 1)), 1, 1)),
        ("run",),
    ),
)
def contexts(history: History) -> Iterator[Finding]:
    yield from not_refused(history)
    for call in history.scheduled():
        for begin in history.begins(call.label)[:1]:
            if begin["value"] != call["value"]:
                yield Finding(
                    f"{call.label} sees the context variable as it was at scheduling: {call['value']}",
                    f"it saw {begin['value']}",
                )
