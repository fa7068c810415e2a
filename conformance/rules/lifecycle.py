"""LIF: running, stopping, closing, forking."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..program import Program
from ..strategies import action, bodies, joined, later, outlasting, programs, several, soon
from ..vocabulary.tasks import LEAVING
from .queries import each_once, generation, run_number, runs_ended
from .rule import Finding, rule

_RUN_FOREVER = "asyncio-eventloop docs, loop.run_forever"
_READER = ("reader", 0, "r", (("recv", 0, 8),))


@rule(
    "LIF-01",
    "R",
    "stop() before run_forever: one poll with timeout 0, its callbacks, then return; the next run is normal",
    source=f"{_RUN_FOREVER}; CPython test_base_events",
    programs=programs(
        several(soon(several(soon(), 0, 2)), 0, 3),
        st.sampled_from([(), (("reader", 0, "r", (("recv", 0, 8),), "fd"), ("send", 0, 1))]),
        several(later(40)(st.just(())), 0, 1),
        ("stop",),
        ("run",),
        ("run",),
    ),
    cost=2,
)
def stopped_before(history: History) -> Iterator[Finding]:
    returned = history.of("returned")
    if returned and returned[0]["reason"] == "patience":
        yield Finding("run_forever returns after one poll: stop() was called before it", "it went on")
        return
    for call in history.scheduled("soon"):
        begin = history.first("begin", call.label)
        run = run_number(history, begin) if begin else None
        first = generation(history, call.label) == 0
        if run != (1 if first else 2):
            when = "the run that was stopped before it began" if first else "the run after"
            yield Finding(f"{call.label} runs in {when}", f"it ran in run {run}" if run else "it never ran")
    timers = history.scheduled("later")
    for timer in timers:
        begin = history.first("begin", timer.label)
        if begin is None or run_number(history, begin) != 2:
            yield Finding(
                f"{timer.label} runs in the second run",
                "it never ran" if begin is None else "it ran in the first",
            )
    reader = history.first("watched", "r")
    if reader and not reader["error"]:
        begin = history.first("begin", "r")
        if begin is None or run_number(history, begin) != 1:
            yield Finding("r, whose fd is ready, runs in the first run", "it did not")


_STOPPING = programs(
    bodies([soon], max_leaves=4),
    several(soon(joined(several(soon(), 0, 2), ("stop",), several(soon(), 0, 2))), 1, 1),
    bodies([soon], max_leaves=4),
    ("run",),
    ("run",),
)


@rule(
    "LIF-02",
    "R",
    "stop() while running: this batch finishes, and what it schedules waits for the next run",
    source=f"{_RUN_FOREVER}; CPython test_base_events; uvloop #517",
    programs=_STOPPING,
)
def stopped_while_running(history: History) -> Iterator[Finding]:
    stop = history.first("stop")
    if stop is None:
        return
    last = generation(history, stop["within"])
    for call in history.scheduled("soon"):
        begin = history.first("begin", call.label)
        due_run = 1 if generation(history, call.label) <= last else 2
        run = run_number(history, begin) if begin else None
        if run == due_run:
            continue
        part = (
            "belongs to the batch that stop() lets finish" if due_run == 1 else "was scheduled by that batch"
        )
        yield Finding(
            f"{call.label} runs in run {due_run}: it {part}",
            f"it ran in run {run}" if run else "it never ran",
        )


@rule(
    "LIF-03",
    "R",
    "run, stop, run again: timers, readers and the queue are kept",
    source=_RUN_FOREVER,
    programs=programs(
        bodies([soon, later()], [st.just(("stop",))], max_leaves=6),
        st.sampled_from([(), (_READER, ("later", None, 2, (("send", 0, 1),)))]),
        ("run",),
        bodies([soon, later()], max_leaves=3),
        ("run",),
        ("run",),
        ("run",),
    ),
    cost=2,
)
def kept(history: History) -> Iterator[Finding]:
    if len(history.of("stop")) > 3:
        return  # each of the four runs may have been stopped
    yield from runs_ended(history)
    yield from each_once(history, history.scheduled())
    reader = history.first("watched", "r")
    if reader and not reader["error"] and history.of("sent") and not history.begins("r"):
        yield Finding("r is told of its data, in whichever run it comes", "it never ran")


_JOB = (("executor", "job"), ("close",), ("release", "job"))


@rule(
    "LIF-04",
    "R",
    "close() is idempotent, drops what is pending, does not wait for the executor; "
    "on a running loop it raises RuntimeError",
    source="asyncio-eventloop docs, loop.close; CPython test_events",
    programs=programs(
        several(soon(st.sampled_from([(), (("close",),)])), 0, 2),
        st.sampled_from([(), (("run",),)]),
        several(st.one_of(soon(), later()(st.just(()))), 0, 3),
        st.sampled_from([(), _JOB]),
        ("close",),
        ("close",),
        action("attempt", st.sampled_from(["is_closed", "run_forever"])).map(lambda a: (a,)),
    ),
    cost=2,
)
def closing(history: History) -> Iterator[Finding]:
    final: Event | None = None
    for event in history.of("closed"):
        if event.lane == "loop":
            if not str(event["error"]).startswith("RuntimeError"):
                yield Finding(
                    "close() of a running loop raises RuntimeError",
                    f"it raised {event['error'] or 'nothing'}",
                )
            continue
        final = final or event
        if event["error"] or not event["is_closed"]:
            yield Finding(
                "close() closes the loop, however often it is called",
                f"it raised {event['error'] or 'nothing'}",
            )
        if event.at - history.events[event.index - 1].at > 2 * history.tolerance and event["jobs_running"]:
            yield Finding("close() does not wait for the executor's jobs", "it waited")
    for begin in history.of("begin"):
        if begin.lane == "main":
            yield Finding(f"{begin.label} is dropped by close()", "it ran")
    for attempt in history.of("attempted", label="run_forever"):
        if not str(attempt["error"]).startswith("RuntimeError"):
            yield Finding(
                "run_forever of a closed loop raises RuntimeError",
                f"it raised {attempt['error'] or 'nothing'}",
            )


_LIVES = st.lists(st.sampled_from(["another loop", "another loop with threads"]), min_size=1, max_size=3)


@rule(
    "LIF-05",
    "C",
    "close() frees every fd and every thread that the loop made",
    source="CPython test_events; test_unix_events",
    programs=_LIVES.map(
        lambda lives: (
            *(("attempt", life) for life in dict.fromkeys(lives)),
            ("measure", "before"),
            *(("attempt", life) for life in lives),
            ("measure", "after"),
        )
    ),
    cost=3,
)
def freed(history: History) -> Iterator[Finding]:
    before, after = history.first("measured", "before"), history.first("measured", "after")
    for what in ("fds", "threads"):
        if before and after and after.get(what, 0) > before.get(what, 0):
            more = after[what] - before[what]
            yield Finding(
                f"{len(history.of('attempted'))} loops, run and closed, leave no {what} behind",
                f"they left {more:.0f}",
            )
    for attempt in history.of("attempted"):
        if attempt["error"]:
            yield Finding("a fresh loop can be run and closed", f"it raised {attempt['error']}")


_NESTED = ("run_forever", "run_until_complete", "another loop")


@rule(
    "LIF-06",
    "R",
    "RuntimeError from run_until_complete of a stopped loop, from nested runs, "
    "and from running another loop meanwhile",
    source="asyncio-eventloop docs, loop.run_until_complete; CPython test_events; test_base_events",
    programs=st.one_of(
        programs(
            soon(several(action("attempt", st.sampled_from(_NESTED)), 1, 3)).map(lambda a: (a,)), ("run",)
        ),
        # From another thread too, where no loop runs; this one is kept running until that thread has tried.
        programs(
            several(soon(), 0, 1),
            action("attempt", st.sampled_from(_NESTED[:2])).map(
                lambda attempt: (
                    ("soon", "c9", (("thread", "T", (attempt, ("threadsafe", "tried", ()))),)),
                    ("run",),
                )
            ),
        ),
        programs(
            ("future", "f0"),
            several(soon(st.sampled_from([(), (("stop",),)])), 0, 2),
            ("soon", None, (("stop",),)),
            ("run_until", "f0"),
        ),
    ),
)
def refused_runs(history: History) -> Iterator[Finding]:
    for attempt in history.of("attempted"):
        if attempt.label in _NESTED and not str(attempt["error"]).startswith("RuntimeError"):
            yield Finding(
                f"{attempt.label} inside a running loop raises RuntimeError",
                f"it raised {attempt['error'] or 'nothing'}",
            )
    if history.actions("run_until"):
        for returned in history.of("returned"):
            if not str(returned["error"]).startswith("RuntimeError"):
                yield Finding(
                    "run_until_complete raises RuntimeError when the loop is stopped before",
                    f"it raised {returned['error'] or 'nothing'}",
                )
    else:
        yield from runs_ended(history)


_RAISING = st.sampled_from(["KeyboardInterrupt", "SystemExit", "ValueError"])
_FAILING = several(action("raise", _RAISING), 1, 1)


# What a run waited for in vain, a future or a task, is done in the middle of a later run.
_WAITED_IN_VAIN = programs(
    ("future", "f0"),
    ("future", "f1"),
    several(soon(), 0, 2),
    ("task", "t0", (("pause", 4),)),
    st.one_of(
        *(
            several(way(st.one_of(_FAILING, _FAILING, st.just((("stop",),)))), 1, 1)
            for way in (soon, later(1))
        )
    ),
    action("run_until", st.sampled_from(["f0", "t0"])).map(lambda run: (run,)),
    several(st.one_of(soon(), later()(st.just(()))), 0, 2),
    ("later", None, 2, (("resolve", "f0"),)),
    ("later", None, 9, (("resolve", "f1"),)),
    st.sampled_from([(("run",),), (("run_until", "f1"),)]),
)
# The future that a run waited for, being done, stops no other run.
_LEFT_BY_ITS_TASK = programs(
    ("future", "f0"),
    several(soon(), 0, 1),
    action(
        "task",
        "t0",
        joined(
            several(st.sampled_from([("yield",), ("pause", 1)]), 0, 2),
            several(action("leaves", st.sampled_from(LEAVING)), 1, 1),
        ),
    ).map(lambda made: (made,)),
    ("run_until", "t0"),
    several(st.one_of(soon(), later()(st.just(()))), 0, 2),
    ("later", None, 9, (("resolve", "f0"),)),
    st.sampled_from([(("run",),), (("run_until", "f0"),)]),
)


@rule(
    "LIF-07",
    "C",
    "after a failure or a KeyboardInterrupt the loop can be run again",
    source="CPython test_base_events; bpo-22429; uvloop #336",
    version=2,
    programs=st.one_of(
        programs(
            several(soon(), 0, 2),
            several(st.one_of(soon(_FAILING), later(1)(_FAILING)), 1, 1),
            ("run",),
            ("attempt", "is_running"),
            several(st.one_of(soon(), later()(st.just(()))), 1, 3),
            ("run",),
        ),
        _WAITED_IN_VAIN,
        _LEFT_BY_ITS_TASK,
    ),
)
def reusable(history: History) -> Iterator[Finding]:
    runs = history.of("returned")
    asked = [action for action in history.program if action[0] in ("run", "run_until")]
    for label, left in _leaving_tasks(history):
        if runs and asked[0] == ("run_until", label) and not str(runs[0]["error"]).startswith(left):
            yield Finding(f"{left} of {label} leaves the run", f"it ended with {runs[0]['error']}")
    for number, (ran, returned) in enumerate(zip(asked, runs, strict=False)):
        stopped = any(run_number(history, stop) == number + 1 for stop in history.of("stop"))
        if ran[0] == "run" and returned["reason"] == "stopped" and not stopped:
            yield Finding("a run goes on until it is stopped", f"run {number + 1} was stopped by nobody")
    yield from each_once(history, history.scheduled())
    for attempt in history.of("attempted", label="is_running"):
        if attempt["result"] != "False":
            yield Finding(
                "is_running() is False after the run", f"it is {attempt['error'] or attempt['result']}"
            )
    for returned in runs[1:]:
        if returned["error"]:
            yield Finding("the second run is a normal one", f"it ended with {returned['error']}")


def _leaving_tasks(history: History) -> Iterator[tuple[str, str]]:
    for _, label, body, *_ in history.actions("task"):
        for step in body:
            if step[0] == "leaves":
                yield label, step[1]


def _forking(inside: bool, then: str) -> Program:
    after: Program = {
        "thread": (("thread", "T", (("block", 15), ("threadsafe", "x", ()))),),
        "timer": (("later", "x", 3, ()),),
        "reader": (
            ("reader", 0, "x", (("recv", 0, 8),), "fd"),
            ("later", "c2", 2, (("send", 0, 1), *outlasting("c3"))),
        ),
    }[then]
    if inside:
        return (("soon", "c0", (("fork",), *after)), ("run",))
    return (("soon", "c0", ()), ("run",), ("fork",), *after, ("run",))


@rule(
    "LIF-08",
    "C",
    "no loop is running after a run, nor in a forked child; "
    "what the child does leaves the parent's loop undisturbed",
    source="asyncio.get_running_loop docs; CPython test_unix_events; bpo-22087",
    programs=st.builds(_forking, st.booleans(), st.sampled_from(["thread", "timer", "reader"])),
    needs="fork",
    cost=4,
)
def forked(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for returned in history.of("returned"):
        if returned["running"]:
            yield Finding("no loop is running after the run", "asyncio still has one")
    for fork in history.of("forked"):
        if fork["hung"] or fork["exit"]:
            yield Finding(
                "the forked child reports and exits",
                "it hung" if fork["hung"] else f"it ended with {fork['exit']}",
            )
        elif fork["running"]:
            yield Finding("no loop is running in the forked child", "asyncio says that one is")
        elif fork["close_error"]:
            yield Finding("the child can close its copy of the loop", f"close() raised {fork['close_error']}")
    if not history.begins("x") and not any(event["error"] for event in history.of("watched")):
        yield Finding("the parent's loop goes on: x runs", "it never ran")
