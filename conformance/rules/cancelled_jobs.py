"""CAN: cancelling jobs that an executor has in its queue."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..strategies import action, later, programs, several, soon
from .queries import runs_ended
from .rule import Finding, rule

_QUEUED = ("j0", "j1", "j2")
_CANCEL = action("cancel_future", st.sampled_from(_QUEUED))


@rule(
    "CAN-15",
    "R",
    "a job that waits in the queue of an executor never runs once its future was cancelled",
    source="asyncio-eventloop docs, loop.run_in_executor; concurrent.futures docs, Future.cancel",
    programs=programs(
        (("workers", 1), ("executor", "hold")),
        tuple(("job", label, "result") for label in _QUEUED),
        several(
            st.one_of(soon(several(_CANCEL, 1, 2)), later(st.sampled_from([0.5, 1]))(several(_CANCEL, 1, 2))),
            1,
            3,
        ),
        later(3)(several(soon(several(soon(st.just((("release", "hold"),))), 1, 1)), 1, 1)).map(
            lambda timer: (timer,)
        ),
        ("run",),
    ),
)
def cancelled_jobs_never_run(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    released = history.first("released")
    for cancelled in history.of("future-cancelled"):
        passed_on = _scheduled_after(history, cancelled)
        if not cancelled["said"] or passed_on is None:
            continue
        if released is not None and released.index < passed_on.index:
            continue  # a worker may have taken the job before it heard
        for began in history.of("job-began", label=cancelled.label):
            if began.index > passed_on.index:
                yield Finding(f"{cancelled.label} never runs: its future was cancelled in time", "it ran")


def _scheduled_after(history: History, event: Event) -> Event | None:
    """The first callback that was scheduled after the event: it runs after what that had scheduled."""
    later_on = {call.label for call in history.scheduled() if call.index > event.index}
    return next((e for e in history.of("begin") if e.label in later_on), None)
