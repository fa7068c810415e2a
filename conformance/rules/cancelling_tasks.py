"""CAN: cancelling tasks: how requests are counted, and what becomes of them as a task completes."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import AWAIT, STEP, action, later, programs, several, soon
from .queries import runs_ended
from .rule import Finding, rule
from .task_queries import cancellations_are_seen, every_task_ends

_COUNTED = st.one_of(
    action("cancel_task", "t0"), action("uncancel", "t0"), action("cancel_task", "t0", "why")
)


@rule(
    "CAN-06",
    "R",
    "Task.cancelling() is the number of cancel() calls less that of uncancel() calls, never below 0; "
    "cancel() is false once the task is done",
    source="asyncio-task docs, Task.cancel, Task.cancelling, Task.uncancel; CPython test_tasks",
    programs=programs(
        ("future", "f0"),
        several(action("task", "t0", several(st.one_of(STEP, _COUNTED, AWAIT)), st.integers(0, 3)), 1, 1),
        several(st.one_of(soon(several(_COUNTED, 1, 3)), later(1)(several(_COUNTED, 1, 3))), 1, 4),
        several(_COUNTED, 0, 2),
        (("later", None, 4, (("resolve", "f0"),)),),
        ("run",),
        several(_COUNTED, 0, 2),
    ),
)
def cancellations_are_counted(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    count = 0
    for event in history.of("cancel-requested", "uncancelled"):
        if event["before"] != count:
            yield Finding(f"cancelling() is {count}", f"it is {event['before']!r}")
            return
        if event.kind == "uncancelled":
            count = max(0, count - 1)
            if event["said"] != count:
                yield Finding(f"uncancel() returns {count}", f"it returned {event['said']!r}")
        else:
            count += not event["was_done"]
            if event["said"] is event["was_done"]:
                state = "done" if event["was_done"] else "not done"
                yield Finding(
                    f"cancel() of a task that is {state} returns {not event['was_done']}",
                    f"it returned {event['said']!r}",
                )
        if event["cancelling"] != count:
            yield Finding(f"cancelling() is {count} after it", f"it is {event['cancelling']!r}")
            return


_ENDINGS = st.one_of(
    action("cancel_task", "t0"),
    st.sampled_from(
        [("resolve", "f0"), ("fail_future", "f0"), ("cancel_future", "f0"), ("cancel_task", "t1")]
    ),
)


@rule(
    "CAN-07",
    "C",
    "a task that is cancelled as it completes reports one of the two, once, and never neither",
    source="asyncio-task docs, Task.cancel; CPython test_tasks",
    programs=programs(
        ("future", "f0"),
        (("task", "t0", (("await", "f0"),)), ("task", "t1", (("await", "t0"),))),
        several(
            st.one_of(
                soon(several(_ENDINGS, 1, 3)), later(st.sampled_from([0.5, 1]))(several(_ENDINGS, 1, 3))
            ),
            1,
            4,
        ),
        (("later", None, 3, (("resolve", "f0"),)),),
        ("run",),
    ),
)
def one_of_the_two(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    yield from cancellations_are_seen(history)
