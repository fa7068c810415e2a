"""CAN: what cancelling does, of handles, futures and tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from hypothesis import strategies as st

from ..history import History
from ..strategies import CANCEL, PROBE, action, at, bodies, later, programs, several, soon, threadsafe
from .queries import each_once, never_after_cancel, runs_ended
from .rule import Finding, rule


@rule(
    "CAN-01",
    "R",
    "a handle cancelled before it runs never runs, also in its own batch; "
    "cancelling twice or late is harmless",
    source="asyncio-eventloop docs, Handle.cancel; pyodide #2011",
    programs=st.one_of(
        programs(several(soon(several(CANCEL, 0, 3)), 2, 6), several(CANCEL, 0, 2), ("run",)),
        programs(
            bodies([soon, later(), at(), threadsafe], [CANCEL, CANCEL]), several(CANCEL, 0, 2), ("run",)
        ),
        # For the very same time: a handle that is cancelled takes none of the others along.
        programs(several(at(2)(several(CANCEL, 0, 1)), 2, 6), several(CANCEL, 1, 2), ("run",)),
    ),
)
def cancelled_never_run(history: History) -> Iterator[Finding]:
    yield from never_after_cancel(history)
    for cancel in history.of("cancelled"):
        if cancel["error"]:
            yield Finding(f"cancel() of {cancel.label} is harmless", f"it raised {cancel['error']}")
    cancelled = ", ".join(dict.fromkeys(cancel.label for cancel in history.of("cancelled")))
    told = f": only {cancelled} was cancelled" if cancelled else ""
    for finding in each_once(history, history.live()):
        yield replace(finding, expected=finding.expected + told)


@rule(
    "CAN-02",
    "R",
    "Handle.cancelled() tells the truth",
    source="asyncio-eventloop docs, Handle.cancelled",
    programs=programs(
        bodies([soon, later(), threadsafe], [CANCEL, PROBE], max_leaves=6), ("run",), several(PROBE, 0, 2)
    ),
)
def cancelled_is_true(history: History) -> Iterator[Finding]:
    for call in history.scheduled("soon", "threadsafe", "later", "at"):
        if call["cancelled"] is not False:
            yield Finding(
                f"cancelled() of {call.label} is False after scheduling", f"it is {call['cancelled']!r}"
            )
    for event in history.of("cancelled", "probed"):
        ran_before = any(begin.index < event.index for begin in history.begins(event.label))
        cancelled = any(cancel.index <= event.index for cancel in history.cancels(event.label))
        if cancelled and ran_before:
            continue  # cancelling what has run is harmless; what cancelled() says then is left open
        if event["says"] is not cancelled:
            yield Finding(f"cancelled() of {event.label} is {cancelled}", f"it is {event['says']!r}")


_FUTURE_STEPS = st.one_of(
    action("cancel_future", "f0"),
    action("cancel_future", "f0", st.sampled_from(["why", "again"])),
    action("resolve", "f0"),
    action("on_done", "f0", None, ()),
)


@rule(
    "CAN-03",
    "R",
    "Future.cancel() is true once and false after; result() then raises CancelledError with the message",
    source="asyncio-future docs, Future.cancel; CPython test_futures",
    programs=programs(
        ("future", "f0"),
        several(_FUTURE_STEPS, 1, 4),
        several(soon(several(_FUTURE_STEPS, 1, 3)), 0, 2),
        ("run",),
    ),
)
def future_cancel(history: History) -> Iterator[Finding]:
    outcome = "pending"
    for event in history.of("resolved", "future-cancelled"):
        if event.kind == "resolved":
            outcome = "result None"
            continue
        if event["said"] is not (outcome == "pending"):
            yield Finding(
                f"cancel() of a future that is {outcome} returns {outcome == 'pending'}",
                f"it returned {event['said']!r}",
            )
        if outcome == "pending":
            outcome = f"cancelled {[event['message']] if event['message'] else []!r}"
        if event["outcome"] != outcome:
            yield Finding(f"the future is {outcome}", f"it is {event['outcome']}")
    yield from each_once(history, history.scheduled("done") if outcome != "pending" else [])


_STEPS = st.lists(
    st.sampled_from([("yield",), ("pause", 1), ("await", "f0"), ("cancel_task", "t0")]),
    min_size=1,
    max_size=4,
).map(tuple)
_CANCELS = st.one_of(
    action("cancel_task", "t0"),
    action("cancel_task", "t0", st.sampled_from(["why", "again"])),
    st.just(("resolve", "f0")),
)


@rule(
    "CAN-04",
    "R",
    "Task.cancel() arrives at the next await; a task that swallows it goes on",
    source="asyncio-task docs, Task.cancel; CPython test_tasks",
    programs=programs(
        ("future", "f0"),
        action("task", "t0", _STEPS, st.integers(0, 3)).map(lambda t: (t,)),
        several(
            st.one_of(
                soon(several(_CANCELS, 1, 2)), later(st.sampled_from([0.5, 1.5]))(several(_CANCELS, 1, 2))
            ),
            0,
            3,
        ),
        several(later(4)(st.just((("resolve", "f0"),))), 1, 1),
        ("run",),
    ),
)
def task_cancel(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    done, started = history.first("task-done"), history.first("task-started")
    arrivals = history.of("task-cancelled")
    for request in history.of("cancel-requested"):
        if not request["said"] or started is None or request.index < started.index:
            continue
        arrived = any(arrival.index > request.index for arrival in arrivals)
        if not arrived and (done is None or not done["outcome"].startswith("cancelled")):
            yield Finding("CancelledError arrives at the task's next await", "the task never saw it")
    swallows = next((task[3] for task in history.actions("task") if len(task) > 3), 0)
    if started and done:
        swallowed = len(arrivals) <= swallows
        finished = history.first("task-finished") is not None
        if swallowed and arrivals and not finished:
            yield Finding(
                "a task that swallows the cancellation goes on to its end", f"it is {done['outcome']}"
            )
        if finished and done["outcome"] != "result None" and not history.of("cancel-requested"):
            yield Finding("a task that nobody cancels returns", f"it is {done['outcome']}")


@rule(
    "CAN-05",
    "C",
    "a task cancelled before its first step never runs its body",
    source="CPython test_tasks",
    programs=programs(
        several(soon(st.just(())), 0, 2),
        st.tuples(action("task", "t0", _STEPS), action("cancel_task", "t0")),
        ("future", "f0"),
        several(soon(st.just((("resolve", "f0"),))), 1, 1),
        ("run",),
    ),
)
def cancelled_before_start(history: History) -> Iterator[Finding]:
    if history.first("task-started"):
        yield Finding("the body of the cancelled task never runs", "it ran")
    done = history.first("task-done")
    if done is None or not done["outcome"].startswith("cancelled"):
        yield Finding("the task is cancelled", f"it is {done['outcome'] if done else 'pending'}")
