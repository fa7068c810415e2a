"""Timeouts, wait_for, wait and groups, as lines of a script."""

from __future__ import annotations

from typing import Any

from ..program import Program
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, indented, quoted, seconds
from .tasks import awaiting, coroutine

_GROUP = frozenset({"group"})
_TIMEOUT = frozenset({"timeout"})


def timeout(
    script: LoopScript, place: Place, label: str, ms: Any, body: Program, text: str = "after"
) -> Lines:
    if not place.task:
        return []
    script.needs("asyncio")
    if ms == "none":
        call = "asyncio.timeout(None)"
    elif text == "at":
        call = f"asyncio.timeout_at(loop.time() + {seconds(ms)})"
    else:
        call = f"asyncio.timeout({seconds(ms)})"
    named = ""
    if script.sources(frozenset({"reschedule"}), label):
        named = f" as {script.state('timeouts', 'timeouts = {}')}[{quoted(label)}]"
    return [
        "try:",
        f"    async with {call}{named}:",
        *indented(indented(script.body(body, place) or ["pass"])),
        "except TimeoutError:",
        f'    print({quoted(label)}, "TimeoutError")',
    ]


def reschedule(script: LoopScript, place: Place, label: str, ms: Any) -> Lines:
    if not script.sources(_TIMEOUT, label):
        return []
    timeouts = script.state("timeouts", "timeouts = {}")
    when = "None" if ms == "none" else f"loop.time() + {seconds(ms)}"
    inside = _is_inside(script, place, _TIMEOUT, label)
    call = script.attempt(f"{timeouts}[{quoted(label)}].reschedule", when)
    return guarded("" if inside else f"if {quoted(label)} in {timeouts}", call)


def _is_inside(script: LoopScript, place: Place, kinds: frozenset[str], label: str) -> bool:
    """Whether the task's step stands in that block, or in one inside it."""
    for end in range(len(place.path) - 1, 0, -1):
        around = script.survey.nodes[place.path[:end]]
        if around[0] in kinds and around[1] == label:
            return True
        if around[0] not in _GROUP | _TIMEOUT:
            return False
    return False


def wait_for(script: LoopScript, place: Place, label: str, ms: Any) -> Lines:
    name = script.promise(label)
    if not name or label == place.task:
        return []
    script.needs("asyncio")
    lines = [
        "try:",
        *indented(awaiting(script, place, f"asyncio.wait_for({name}, {seconds(ms)})")),
        "except TimeoutError:",
        f'    print({quoted(place.task)}, "TimeoutError")',
    ]
    return script.with_promise(place, label, lines)


def wait(script: LoopScript, place: Place, text: str, ms: Any, *labels: str) -> Lines:
    awaited = [label for label in labels if label != place.task]
    names = script.promises(awaited)
    if not names:
        return []
    script.needs("asyncio")
    lines = [
        f"awaited = [{', '.join(names)}]",
        f'options = {{"timeout": {seconds(ms)}, "return_when": "{text}"}}',
        "waiting = asyncio.wait(awaited, **options)",
        *awaiting(script, place, "waiting"),
    ]
    return script.with_promises(place, awaited, lines)


def group(script: LoopScript, place: Place, label: str, body: Program) -> Lines:
    if not place.task:
        return []
    script.needs("asyncio")
    groups = script.state("groups", "groups = {}")
    return [
        "try:",
        f"    async with asyncio.TaskGroup() as {groups}[{quoted(label)}]:",
        *indented(indented(script.body(body, place) or ["pass"])),
        "except BaseExceptionGroup as errors:",
        f"    print({quoted(label)}, errors.exceptions)",
    ]


def group_task(
    script: LoopScript, place: Place, label: str, group: str, body: Program, count: int = 0
) -> Lines:
    if not script.sources(_GROUP, group):
        return []
    groups = script.state("groups", "groups = {}")
    script.state("futures", "futures = {}")
    swallow, function = coroutine(script, place, label, body, count)
    script.define(
        "add_task",
        "def add_task(group, name, coroutine):",
        "    try:",
        "        futures[name] = groups[group].create_task(coroutine)",
        "    except RuntimeError as error:",
        "        coroutine.close()",
        "        print(name, repr(error))",
    )
    lines = [*swallow, f"add_task({quoted(group)}, {quoted(label)}, {function}())"]
    inside = _is_inside(script, place, _GROUP, group)
    return guarded("" if inside else f"if {quoted(group)} in {groups}", lines)


LINES: Table = {
    "timeout": timeout,
    "reschedule": reschedule,
    "wait_for": wait_for,
    "wait": wait,
    "group": group,
    "group_task": group_task,
}
