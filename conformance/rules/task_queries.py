"""Questions on tasks and their blocks that several rules ask of a history."""

from __future__ import annotations

from collections.abc import Iterator

from ..history import Event, History
from .rule import Finding


def every_task_ends(history: History) -> Iterator[Finding]:
    """Each task that was made has ended, and told so once."""
    refused = {event.label for event in history.of("not-spawned")}
    for made in history.of("task-created"):
        ends = history.of("task-done", label=made.label)
        if len(ends) != 1 and made.label not in refused:
            yield Finding(
                f"{made.label} ends once", f"it ended {len(ends)} times" if ends else "it is pending for ever"
            )


def cancellations_are_seen(history: History) -> Iterator[Finding]:
    """Who cancels a task is heard: the task meets a CancelledError, or what it reports is no plain result.

    Where somebody swallowed or took back a cancellation afterwards, it may have been this one.
    """
    excused = [e.index for e in history.of("task-cancelled") if e["swallowed"]]
    excused += [e.index for e in history.of("uncancelled")]
    for request in history.of("cancel-requested"):
        if not request["said"] or any(index > request.index for index in excused):
            continue
        arrived = any(e.index > request.index for e in history.of("task-cancelled", label=request.label))
        done = history.first("task-done", request.label)
        if not arrived and done is not None and done["outcome"].startswith("result"):
            yield Finding(
                f"{request.label} sees the cancellation that cancel() promised, or is cancelled",
                f"it never saw it, and is {done['outcome']}",
            )


def blocks(history: History, kind: str) -> Iterator[tuple[Event, Event]]:
    """Entering and leaving of each block of that kind that was left."""
    for left in history.of("block-left"):
        if left["block"] == kind:
            entered = [
                e
                for e in history.of("block-entered", label=left.label)
                if e["task"] == left["task"] and e["block"] == kind and e.index < left.index
            ]
            yield entered[-1], left


def between(history: History, start: Event, end: Event, kind: str, label: str) -> list[Event]:
    """The events of that kind and label from one to the other."""
    return [e for e in history.of(kind, label=label) if start.index < e.index < end.index]


def cancelled_meanwhile(history: History, entered: Event, left: Event) -> list[Event]:
    """The requests, taken, to cancel the task of a block between its start and its end."""
    return [e for e in between(history, entered, left, "cancel-requested", entered["task"]) if e["said"]]


def cancelled_before(history: History, entered: Event) -> list[Event]:
    """The requests to cancel the task of a block that had still to arrive when it was entered."""
    task = entered["task"]
    events = history.of("task-started", "task-cancelled", label=task)
    latest = max((e.index for e in events if e.index < entered.index), default=0)
    requests = history.of("cancel-requested", label=task)
    return [e for e in requests if e["said"] and latest < e.index < entered.index]


def takes_earlier_cancellation(history: History, entered: Event, left: Event) -> bool:
    """Whether a timeout takes a cancellation for its own that was asked for before its block; CAN-17."""
    return (
        left["outcome"] == "TimeoutError"
        and bool(cancelled_before(history, entered))
        and not was_tampered_with(history, entered, left)
    )


def was_tampered_with(history: History, entered: Event, left: Event) -> bool:
    """Whether the task swallowed or took back a cancellation meanwhile: then it has no rule but its own."""
    task = entered["task"]
    swallowed = any(e["swallowed"] for e in between(history, entered, left, "task-cancelled", task))
    return swallowed or bool(between(history, entered, left, "uncancelled", task))


def awaits_something_cancelled(history: History, left: Event) -> bool:
    """Whether the CancelledError that leaves a block may come from a future that was cancelled before.

    Cancelling a task cancels the future it awaits, and whoever awaits that next.
    """
    arrived = [e for e in history.of("task-cancelled") if e.index < left.index]
    shared = any(e["action"] == "await" for e in arrived[:-1])
    return shared or bool(history.of("future-cancelled"))
