"""The catalogue: every rule an event loop or a selector is held to, one file per group."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ...errors import UsageError
from . import (
    awaiting,
    cancellation,
    cancelled_jobs,
    cancelling_tasks,
    exceptions,
    executors,
    failures,
    flow_control,
    heap,
    lifecycle,
    ordering,
    pipes,
    processes,
    readiness,
    readiness_kinds,
    resources,
    selecting,
    selector_lifetime,
    sending_files,
    servers,
    shutdown,
    signals,
    task_groups,
    task_storms,
    threads,
    timeouts,
    timers,
    transports,
)
from .rule import LEVELS, PLATFORM_FEATURES, Finding, Rule, catalogue

__all__ = ["LEVELS", "PLATFORM_FEATURES", "RULES_VERSION", "Finding", "Rule", "all_rules", "chosen_rules"]

RULES_VERSION = "3"
"""Raised by one whenever a rule comes, goes or changes its meaning."""

_GROUPS = (
    *(
        ordering,
        timers,
        heap,
        cancellation,
        cancelling_tasks,
        timeouts,
        awaiting,
        task_groups,
        task_storms,
        cancelled_jobs,
        readiness,
        readiness_kinds,
    ),
    *(selecting, selector_lifetime),
    *(threads, signals, lifecycle, shutdown, exceptions, failures),
    *(transports, flow_control, sending_files, servers),
    pipes,
    *(processes, executors),
    resources,
)


def all_rules() -> list[Rule]:
    """Every rule, group by group."""
    order = {module.__name__: place for place, module in enumerate(_GROUPS)}
    return sorted(catalogue().values(), key=lambda rule: order[rule.check.__module__])


def chosen_rules(globs: Sequence[str]) -> list[Rule]:
    """The rules whose ids fit one of the globs (all without any); UsageError for a glob that fits none."""
    rules = all_rules()
    if not globs:
        return rules
    for glob in globs:
        if not any(fnmatchcase(rule.id, glob) for rule in rules):
            groups = ", ".join(dict.fromkeys(rule.group for rule in rules))
            raise UsageError(f"--rules {glob}: no rule fits; groups: {groups}; see `muxloop rules`")
    return [rule for rule in rules if any(fnmatchcase(rule.id, glob) for glob in globs)]
