"""CAN: cancelling tasks that wait for a socket."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..history import Event, History
from ..program import Action, Program
from ..strategies import Body, action, joined, later, programs, several, soon
from .queries import LATE_S, runs_ended
from .rule import Finding, rule
from .task_queries import every_task_ends

_CALLERS = ("t0", "t1", "t2")
_AT_MS = st.sampled_from([0.5, 1, 1.5, 2])


def _one_after_the_other(call: SearchStrategy[Action], in_the_end: Program = ()) -> Body:
    """Tasks that make such a call; the next begins when the one before has ended."""

    def chained(calls: list[Action]) -> Program:
        chain = in_the_end
        for label, each in reversed(list(zip(_CALLERS, calls, strict=False))):
            then: Program = (("on_done", label, None, chain),) if chain else ()
            chain = (("task", label, (each,)), *then)
        return chain

    return st.lists(call, min_size=1, max_size=3).map(chained)


def _meanwhile(*happenings: SearchStrategy[Action]) -> Body:
    cancel = action("cancel_task", st.sampled_from(("t0", *_CALLERS)))  # the first calls for certain
    some = several(st.one_of(cancel, cancel, *happenings), 1, 2)
    return several(st.one_of(soon(some), later(_AT_MS)(some), later(_AT_MS)(some)), 1, 4)


# To open a pair takes many milliseconds: it is there before the clock ticks.
_RECEIVING = programs(
    (("recv", 0, 1),),
    _one_after_the_other(action("sock_recv", 0, st.sampled_from([1, 4, 64]))),
    _meanwhile(action("send", 0, st.integers(1, 4))),
    (("later", None, 4, (("send", 0, 3),)), ("later", None, 5, (("send", 0, 3), ("hangup", 0)))),
    (("run",), ("unreader", 0), ("unwriter", 0), ("recv", 0, 4096)),
)


def _received_at_once(ours: int, other: int) -> SearchStrategy[Program]:
    """Data comes, and in the same batch of callbacks, before or after the reader of it, the cancellation."""
    cancel: Program = (("cancel_task", "t0"),)
    data = several(action("send", ours, st.integers(1, 4)), 1, 1)
    batch = st.one_of(
        joined(data, several(soon(st.just(cancel)), 1, 2)),
        joined(several(soon(st.just(cancel)), 1, 2), data),
        # In the order in which they became ready, or by number: one of both orders is the right one.
        joined(("send", other, 1), data),
    )
    return programs(
        (("recv", ours, 1), ("reader", other, None, (("recv", other, 8), *cancel))),
        _one_after_the_other(action("sock_recv", ours, st.sampled_from([1, 4, 64]))),
        st.one_of(*(several(way(batch), 1, 2) for way in (soon, later(_AT_MS)))),
        (("later", None, 4, (("send", ours, 3), ("hangup", ours))),),
        (("run",), ("unreader", ours), ("unwriter", ours), ("recv", ours, 4096)),
    )


_ACCEPTING = programs(
    (("answer", 0),),
    # However late the timers below come: one comes when nobody waits for it any more.
    _one_after_the_other(st.just(("sock_accept", 0)), (("knock", 0),)),
    _meanwhile(st.just(("knock", 0))),
    tuple(("later", None, ms, (("knock", 0),)) for ms in (4, 5, 6)),
    (("run",), ("answer", 0)),
)
_ACCEPTING_IN_VAIN = programs(
    (("answer", 0), ("task", "t0", (("sock_accept", 0),)), ("on_done", "t0", None, (("knock", 0),))),
    _meanwhile(),
    (("later", None, 6, (("knock", 0),)), ("run",), ("answer", 0)),
)
_SENDING = programs(
    (("fill", 0),),
    _one_after_the_other(action("sock_sendall", 0, st.sampled_from([1, 5000]))),
    _meanwhile(st.just(("drain", 0))),
    (("later", None, 4, (("drain", 0),)), ("later", None, 5, (("hangup", 0),))),
    (("run",), ("unwriter", 0), ("unreader", 0)),
)
_CONNECTING = programs(
    _one_after_the_other(st.just(("sock_connect", 0))), _meanwhile(), (("run",), ("answer", 0))
)


@rule(
    "CAN-12",
    "C",
    "a cancelled sock_recv(), sock_accept(), sock_connect() or sock_sendall() leaves no registration behind, "
    "and takes no data that was there when it was cancelled, and no data and no connection that comes later",
    source="bpo-30064; CPython test_sock_lowlevel",
    programs=st.one_of(
        *(_received_at_once(0, 1), _received_at_once(1, 0), _RECEIVING, _RECEIVING, _CONNECTING, _CONNECTING),
        *(_ACCEPTING, _ACCEPTING_IN_VAIN, _SENDING),
    ),
)
def cancelled_calls_leave_nothing(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for event in history.of("unwatched"):
        if event["result"] is True and history.of("sock-entered"):
            yield Finding(
                f"nobody is registered as {event['side']} once all calls have ended",
                "there was one to remove",
            )
    for method, came, kept in (("sock_recv", "sent", "received"), ("sock_accept", "knocked", "answered")):
        yield from _nothing_is_lost(history, method, came, kept)


def _nothing_is_lost(history: History, method: str, came: str, kept: str) -> Iterator[Finding]:
    """What a call took before it was cancelled may be lost with it; nothing that was left, or comes after.

    Of connections it is not known who has taken them: those count that come when no such call is left.
    """
    calls = [e for e in history.of("sock-left") if e["method"] == method]
    cancelled = [e for e in calls if e["how"] == "cancelled"]
    if not calls:
        return
    unread = _unread_at(history, cancelled[-1]) if cancelled else None
    since = unread or (cancelled[-1] if cancelled else None)
    after, file = since.index if since else -1, str(calls[0]["pair"])
    left = unread["count"] if unread else 0
    came_later = left + sum(e.get("count", 1) for e in history.of(came, label=file) if e.index > after)
    kept_later = [e["count"] for e in history.of(kept, label=file) if e.index > after]
    got = sum(e["count"] for e in calls if e["how"] == "returned" and e.index > after)
    got += sum(count for count in kept_later if isinstance(count, int))
    if got < came_later:
        what = "bytes" if method == "sock_recv" else "connections"
        when = (
            f"not taken when {method}() was last cancelled, or that came later,"
            if unread
            else f"that came after the last cancelled {method}()"
        )
        yield Finding(f"{came_later} {what} {when} can be had", f"{got} can")


def _unread_at(history: History, left: Event) -> Event | None:
    """What a sock_recv() had not taken when it was first cancelled; None where that cannot be told."""
    entered = [e.index for e in history.of("sock-entered", label=left.label) if e.index < left.index]
    requests = [e for e in history.of("unread", label=left.label) if entered[-1] < e.index < left.index]
    return requests[0] if requests else None


@rule(
    "CAN-13",
    "C",
    "a cancelled create_connection() leaks no socket",
    source="CPython test_events; asyncio-eventloop docs, loop.create_connection",
    programs=programs(
        # What a loop opens once, for good, is open before the first look.
        (("task", "t9", (("create_connection", 0),)), ("run",), ("answer", 0), ("measure", "before")),
        several(action("task", "t0", st.just((("create_connection", 0),))), 1, 1),
        several(
            st.one_of(
                soon(st.just((("cancel_task", "t0"),))),
                soon(several(soon(st.just((("cancel_task", "t0"),))), 1, 1)),
                soon(several(soon(several(soon(st.just((("cancel_task", "t0"),))), 1, 1)), 1, 1)),
                later(st.sampled_from([0.1, 0.3, 0.5, 1]))(st.just((("cancel_task", "t0"),))),
            ),
            1,
            2,
        ),
        (("later", None, 4, ()), ("run",), ("answer", 0), ("measure", "after")),
    ),
    cost=2,
)
def connections_leak_nothing(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    gauges = history.of("measured")
    cancelled = any(event["how"] == "cancelled" for event in history.of("sock-left"))
    # One that was made before it could be cancelled is aborted: what is left of that is a matter of TRN-05.
    if cancelled and len(gauges) > 1 and "fds" in gauges[-1].data:
        more = gauges[-1]["fds"] - gauges[-2]["fds"]
        if more > 0:
            yield Finding("as many open files as before create_connection()", f"{more} more")


_IDLE_CALLS = st.sampled_from([("sock_recv", 0, 8), ("sock_accept", 0), ("pause", 1500), ("await", "f0")])


@rule(
    "CAN-14",
    "C",
    "a task that waits for a socket, a timer or a future ends promptly when it is cancelled",
    source="asyncio-task docs, Task.cancel; CPython test_events",
    programs=programs(
        ("future", "f0"),
        several(_IDLE_CALLS.map(lambda call: ("task", "t0", (call,))), 1, 1),
        st.one_of(
            several(
                st.one_of(
                    soon(st.just((("cancel_task", "t0"),))), later(_AT_MS)(st.just((("cancel_task", "t0"),)))
                ),
                1,
                1,
            ),
            _AT_MS.map(
                lambda ms: (("thread", "T", (("block", ms), ("threadsafe", None, (("cancel_task", "t0"),)))),)
            ),
        ),
        ("run",),
    ),
    timed=True,
)
def cancelling_is_prompt(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    for request in history.of("cancel-requested"):
        done = history.first("task-done", request.label)
        if not request["said"] or done is None:
            continue
        late_s = done.at - request.at
        if late_s > LATE_S * history.tolerance:
            yield Finding(f"{request.label} ends promptly", f"it ended {late_s * 1000:.0f} ms later")
