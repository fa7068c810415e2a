"""The vocabulary of programs: every kind of action, one file per subject."""

from __future__ import annotations

from types import ModuleType

from . import (
    cancelling,
    contradictions,
    datagrams,
    executors,
    failures,
    leaving,
    lifecycle,
    names,
    pipes,
    processes,
    readiness,
    scheduling,
    selectors,
    servers,
    shutdown,
    signals,
    sock_calls,
    sock_files,
    sock_messages,
    special_files,
    task_factories,
    tasks,
    threads,
    tls,
    transports,
)
from .spec import ActionSpec

__all__ = ["LOOP_ACTIONS", "SELECTOR_ACTIONS", "ActionSpec"]


def _merged(*subjects: ModuleType) -> dict[str, ActionSpec]:
    """All actions of these files; ValueError when two have one name."""
    merged: dict[str, ActionSpec] = {}
    for subject in subjects:
        twice = merged.keys() & subject.ACTIONS.keys()
        if twice:
            raise ValueError(
                f"{subject.__name__}: actions that are there already: {', '.join(sorted(twice))}"
            )
        merged |= subject.ACTIONS
    return merged


LOOP_ACTIONS = _merged(
    scheduling,
    readiness,
    tasks,
    task_factories,
    cancelling,
    executors,
    threads,
    lifecycle,
    leaving,
    transports,
    servers,
    contradictions,
    datagrams,
    pipes,
    tls,
    processes,
    signals,
    sock_calls,
    sock_files,
    sock_messages,
    shutdown,
    failures,
    special_files,
    names,
)
SELECTOR_ACTIONS = _merged(selectors)
