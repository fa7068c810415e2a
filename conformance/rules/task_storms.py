"""CAN: tasks that wait for each other in every way there is, cancelled, failed, timed out and stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from ..history import History
from ..program import Action
from ..strategies import STEP, Body, action, later, programs, several, soon, steps, threadsafe
from .queries import runs_ended
from .rule import Finding, rule
from .task_queries import cancellations_are_seen, every_task_ends

_MS = st.sampled_from([-1, 0, 0.5, 1, 2, 3, "none"])
_RUNS = 3
"""So often the loop runs: the last time nobody stops it any more."""


def _steps(known: Sequence[str], group: str) -> Body:
    """Steps of a task that may wait for those."""
    some = st.sampled_from(known)
    leaves: SearchStrategy[Action] = st.one_of(
        STEP,
        action("await", some),
        action("await", some),
        action("wait_for", some, _MS),
        action(
            "wait", st.sampled_from(["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"]), _MS, some, some
        ),
        _DISTURB,
        st.just(("fails",)),
    )
    spawned = action("group_task", None, group, several(st.one_of(STEP, action("await", some)), 1, 2))
    return steps(
        leaves,
        [
            lambda inner: action("timeout", None, _MS, inner),
            lambda inner: st.tuples(several(spawned, 1, 2), inner).map(
                lambda parts: ("group", group, (*parts[0], *parts[1]))
            ),
        ],
    )


_DISTURB = st.one_of(
    action("cancel_task", st.sampled_from(["t0", "t1", "t2"])),
    action("cancel_task", st.sampled_from(["t0", "t1", "t2"]), "why"),
    action("cancel_future", st.sampled_from(["f0", "f1", "g0", "s0"])),
    action("resolve", st.sampled_from(["f0", "f1"])),
    action("fail_future", st.sampled_from(["f0", "f1"])),
)
_SWALLOWS = st.sampled_from([0, 0, 0, 1])


def _task(label: str, known: Sequence[str]) -> Body:
    return several(action("task", label, _steps(known, f"g{label}"), _SWALLOWS), 1, 1)


@rule(
    "CAN-16",
    "C",
    "no interleaving of cancellation, completion, failure, timeout and stop leaves a task pending for ever, "
    "or a cancellation unseen",
    source="asyncio-task docs, Task Cancellation; bpo-37658; CPython test_tasks, test_taskgroups",
    programs=programs(
        (("future", "f0"), ("future", "f1")),
        _task("t0", ["f0", "f1"]),
        (("gather", "g0", "first error", "t0", "f1"), ("shield", "s0", "t0")),
        _task("t1", ["f0", "t0", "g0", "s0"]),
        _task("t2", ["f1", "t0", "t1", "g0", "s0"]),
        several(
            st.one_of(
                soon(several(_DISTURB, 1, 3)),
                threadsafe(several(_DISTURB, 1, 2)),
                later(st.sampled_from([0.5, 1, 1.5, 2, 3]))(several(_DISTURB, 1, 3)),
                later(st.sampled_from([0, 1, 2]))(several(soon(several(_DISTURB, 1, 2)), 1, 2)),
            ),
            0,
            4,
        ),
        several(
            st.one_of(
                soon(st.just((("stop",),))), later(st.sampled_from([0.5, 1, 2]))(st.just((("stop",),)))
            ),
            0,
            _RUNS - 1,
        ),
        (("later", None, 5, (("resolve", "f0"), ("resolve", "f1"))),),
        (("run",),) * _RUNS,
    ),
)
def no_task_is_forgotten(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    yield from cancellations_are_seen(history)
