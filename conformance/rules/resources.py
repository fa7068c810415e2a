"""RES: what a loop takes from its process, while it has nothing to do and after it is closed."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..program import Program
from ..strategies import CANCEL, EMPTY, action, at, bodies, joined, later, programs, several, soon, threadsafe
from .rule import PLATFORM_FEATURES, Finding, rule

_PAIR = st.integers(0, 2)
_READER = _PAIR.flatmap(
    lambda pair: st.one_of(
        action("reader", pair, None, st.sampled_from([(), (("recv", pair, 8),), (("unreader", pair),)])),
        action("writer", pair, None, st.just((("unwriter", pair),))),
    )
)
_STEP = st.one_of(st.just(("yield",)), action("pause", 1), soon())
_TASK = action("task", st.sampled_from(["t0", "t1"]), several(_STEP, 0, 3))
_LEAVES = [
    CANCEL,
    _READER,
    action("send", _PAIR, 1),
    action("hangup", _PAIR),
    action("unreader", _PAIR),
    action("thread", "T0", several(threadsafe(), 1, 3)),
    _TASK,
    action("cancel_task", st.sampled_from(["t0", "t1"])),
    st.just(("raise", "ValueError")),
]
_JOB = (("executor", "job"), ("release", "job"))
_PENDING = several(st.one_of(soon(), at(20_000)(EMPTY), threadsafe()), 0, 2)
"""Scheduled, and still there when the loop is closed."""
_LIVES = programs(
    bodies([soon, later(), at(), threadsafe], _LEAVES, max_leaves=8),
    st.sampled_from([(), _JOB]),
    several(CANCEL, 0, 2),
    ("run",),
    _PENDING,
    ("leave",),
)
"""A loop does a bit of everything, is closed, and is gone."""
_CLOSE = "asyncio-eventloop docs, loop.close"


@rule(
    "RES-01",
    "C",
    "whatever a loop has done, when it is closed no descriptor of it is left open",
    source=f"{_CLOSE}; CPython test_events; libuv docs, uv_loop_close",
    programs=_LIVES,
    timed=True,
    cost=2,
    needs="descriptors",
    looks_on=True,
    version=2,
)
def no_descriptors(history: History) -> Iterator[Finding]:
    for left in history.of("left"):
        if left["descriptors"]:
            numbers = ", ".join(map(str, left["descriptors"][:5]))
            yield Finding("no descriptor of the closed loop is open", f"it left {numbers} open")


@rule(
    "RES-02",
    "C",
    "whatever a loop has done, when it is closed no thread of it goes on",
    source=f"{_CLOSE}; CPython test_events",
    programs=_LIVES,
    timed=True,
    cost=2,
    looks_on=True,
    version=2,
)
def no_threads(history: History) -> Iterator[Finding]:
    for left in history.of("left"):
        if left["threads"]:
            yield Finding(
                "no thread of the closed loop is running", f"there are {', '.join(left['threads'])}"
            )


@rule(
    "RES-03",
    "C",
    "a loop lets go of a callback and its arguments when it has run, and of all others when it is closed",
    source="CPython events.Handle, base_events.close; python/asyncio #186; uvloop #239",
    programs=_LIVES,
    timed=True,
    cost=2,
    looks_on=True,
    version=2,
)
def nothing_alive(history: History) -> Iterator[Finding]:
    for leaving in history.of("leaving"):
        if leaving["alive"]:
            names = ", ".join(leaving["alive"])
            yield Finding(f"nobody holds {names} any more: it ran", "it, or its argument, is still alive")
    for left in history.of("left"):
        if left["held"]:
            names = ", ".join(left["held"])
            yield Finding(f"nobody holds {names} any more: the loop is closed", "it is still alive")
        elif left["alive"]:
            names = ", ".join(left["alive"])
            yield Finding(f"nobody holds {names} any more: the loop is closed and gone", "it is still alive")


@rule(
    "RES-04",
    "C",
    "a loop that is closed and dropped leaves nothing for the collector to warn of",
    source="ResourceWarning docs; CPython test_base_events",
    programs=_LIVES,
    timed=True,
    cost=2,
    looks_on=True,
    version=2,
)
def no_warnings(history: History) -> Iterator[Finding]:
    for left in history.of("left"):
        if left["warned"]:
            yield Finding("no ResourceWarning", f"ResourceWarning: {'; '.join(left['warned'])}")


@rule(
    "RES-05",
    "C",
    "the exception handler is told of what failed, and of nothing else",
    source="asyncio-eventloop docs, loop.set_exception_handler",
    programs=_LIVES,
    cost=2,
    looks_on=True,
    version=2,
)
def no_false_alarms(history: History) -> Iterator[Finding]:
    raised = {event.label for event in history.of("raised")}
    meant = _meant_to_fail(history)
    for handled in history.of("handled"):
        # One that is called in its own way is a matter of EXC-01.
        if handled["arguments"] == 2 and handled.label not in raised and handled["exception"] not in meant:
            told = f"{handled['exception']} {handled.label}" if handled["exception"] != "NoneType" else ""
            yield Finding(
                "the exception handler is called for exceptions of callbacks only",
                f"it was called with {(told or handled['message'])!r}",
            )


def _meant_to_fail(history: History) -> set[str]:
    """The classes of the exceptions that programs of other rules bring about on purpose."""
    meant = {"ValueError"}
    if history.of("starved"):
        meant.add("OSError")
    # The player closes the coroutine of a run that was refused; some loops have made a task of it by then.
    if history.first("attempted", "run_until_complete"):
        meant.add("RuntimeError")
    if any(action[2] == "empty buffer" for action in history.actions("protocol")):
        meant.add("RuntimeError")
    return meant


_REST_MS = 120
_WAITS = 12
_REST_CPU_S = 0.03


def _resting(setting: Program, cancelled: int) -> Program:
    """Something happens, timers far away are left, and then for a while nothing is due."""
    return (
        *setting,
        ("bulk", "far", 20, 30_000, 100),
        ("cancel_bulk", "far", cancelled),
        ("run",),
        ("measure", "before"),
        ("later", "rest", _REST_MS, ()),
        ("run",),
        ("measure", "after"),
    )


_QUIET = joined(
    bodies([soon, later(), threadsafe], [CANCEL, _TASK, action("send", 0, 1)], max_leaves=5),
    st.sampled_from(
        [
            (),
            (("reader", 0, "r", (("recv", 0, 8),)),),
            (("reader", 0, "r", (("recv", 0, 8),)), ("writer", 1, "w", (("unwriter", 1),))),
        ]
    ),
    st.sampled_from([(), _JOB]),
)
_RESTS = programs(st.builds(_resting, _QUIET, st.sampled_from([0, 1, 2])))


@rule(
    "RES-06",
    "C",
    "a loop with nothing to do sleeps until there is something",
    source="asyncio-eventloop docs, loop.run_forever; libuv docs, the I/O loop",
    programs=_RESTS,
    timed=True,
    cost=6,
    needs="waits",
)
def sleeps_at_rest(history: History) -> Iterator[Finding]:
    before, after = history.first("measured", "before"), history.first("measured", "after")
    if before and after and after["waits"] - before["waits"] > _WAITS:
        waits = after["waits"] - before["waits"]
        yield Finding(
            f"no more than {_WAITS} waits in {_REST_MS} ms in which nothing is due",
            f"the thread went to sleep {waits:.0f} times",
        )


@rule(
    "RES-07",
    "C",
    "a loop with nothing to do takes no CPU time",
    source="asyncio-eventloop docs, loop.run_forever; libuv docs, the I/O loop",
    programs=_RESTS,
    timed=True,
    cost=6,
)
def idle_at_rest(history: History) -> Iterator[Finding]:
    before, after = history.first("measured", "before"), history.first("measured", "after")
    if before and after and after["cpu_s"] - before["cpu_s"] > _REST_CPU_S * history.tolerance:
        busy_ms = (after["cpu_s"] - before["cpu_s"]) * 1000
        yield Finding(
            f"next to no CPU time in {_REST_MS} ms in which nothing is due", f"{busy_ms:.0f} ms of it"
        )


@rule(
    "RES-08",
    "C",
    "a loop that is closed leaves its process as it was: signal handlers, hooks, folder, environment",
    source=f"{_CLOSE}; signal.set_wakeup_fd docs; CPython test_unix_events",
    programs=_LIVES,
    cost=2,
    looks_on=True,
    version=2,
)
def process_as_before(history: History) -> Iterator[Finding]:
    for left in history.of("left"):
        if left["changed"]:
            yield Finding(
                "the process is as it was before the loop was made", f"changed: {', '.join(left['changed'])}"
            )


# What a transport had to keep is gone, or it hears nothing: none of them is to be watched for writing.
_CONNECTED: list[Program] = [
    (
        *(("link", 0, "unix"), ("run",), ("limits", 0, 1_000_000)),
        *(("write", 0, 400_000), ("peer_reads", 0), ("run",)),
    ),
    (("link", 0, "tcp"), ("run",), ("peer_send", 0, 100), ("run",)),
]
if PLATFORM_FEATURES["unix-datagrams"][0]:
    _CONNECTED += [
        (("endpoint", 0, "unix"), ("run",), ("burst", 0, 30, 1), ("drain_datagrams", 0), ("run",)),
    ]


@rule(
    "RES-09",
    "C",
    "a loop whose connections have nothing left to send takes no CPU time",
    source="asyncio-protocol docs, transports; libuv docs, the I/O loop",
    programs=programs(
        st.builds(_resting, st.sampled_from(_CONNECTED), st.sampled_from([0, 1, 2])),
        (("close_link", 0), ("close_endpoint", 0), ("run",), ("hear", 0)),
    ),
    timed=True,
    cost=6,
)
def idle_with_connections(history: History) -> Iterator[Finding]:
    yield from idle_at_rest(history)
