"""Programs: what is played on a loop, as plain data.

A program is a tuple of actions, an action is a tuple ``(kind, argument, …)``, and a body is a tuple of
actions that a callback performs each time it runs. The same data is JSON, with lists for tuples: what
a report holds and what ``muxloop conform --program`` takes.

The actions of the outermost tuple are performed outside the loop, one after the other; ``("run",)`` runs
the loop until nothing is left to happen. This file knows the vocabulary and nothing of loops.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError

Action = tuple[Any, ...]
Program = tuple[Action, ...]


@dataclass(frozen=True)
class ActionSpec:
    """The arguments of one kind of action, and what it does."""

    fields: tuple[str, ...]
    """Types of the arguments, in order; a trailing ``?`` marks one that may be left out."""
    meaning: str


def _spec(fields: str, meaning: str) -> ActionSpec:
    return ActionSpec(tuple(fields.split()), meaning)


LOOP_ACTIONS: dict[str, ActionSpec] = {
    # scheduling
    "soon": _spec("label body value?", "call_soon(callback), in a context where the variable is `value`"),
    "threadsafe": _spec("label body value?", "call_soon_threadsafe(callback)"),
    "later": _spec("label ms body value?", "call_later(ms / 1000, callback); ms may be 'nan' or 'inf'"),
    "at": _spec(
        "label ms body value?", "call_at(base + ms / 1000, callback), base being the loop's time at the start"
    ),
    "again": _spec(
        "count", "inside a callback: schedule it once more, as before, until it ran `count` times"
    ),
    "cancel": _spec("label", "cancel the handle of that callback"),
    "probe": _spec("label", "look at cancelled() and when() of the handle of that callback"),
    "bulk": _spec("label count ms us", "arm `count` timers label#0… at ms, ms + us/1000, …"),
    "cancel_bulk": _spec(
        "label count", "cancel those whose number is no multiple of `count` (0: all of them)"
    ),
    "setvar": _spec("value", "set the context variable"),
    "raise": _spec("text", "raise that exception, by name"),
    "block": _spec("ms", "keep the thread busy that long"),
    # readiness: a pair is a connected pair of stream sockets, of which the loop watches one end
    "pipe": _spec("pair text", "make the pair the two ends of a pipe; ours reads ('r') or writes ('w')"),
    "reader": _spec("pair label body text?", "add_reader on our end; by 'sock' (default) or by 'fd'"),
    "writer": _spec("pair label body text?", "add_writer on our end"),
    "unreader": _spec("pair", "remove_reader"),
    "unwriter": _spec("pair", "remove_writer"),
    "send": _spec("pair count", "the peer sends that many bytes"),
    "recv": _spec("pair count", "our end receives at most that many bytes, without blocking"),
    "fill": _spec("pair", "our end sends until the kernel takes no more"),
    "drain": _spec("pair", "the peer reads all there is"),
    "hangup": _spec("pair", "the peer closes"),
    "abandon": _spec("pair text?", "close our end without removing it; 'dup': a duplicate stays open"),
    "reuse": _spec("pair", "a fresh pair takes the place, and the fd number, of an abandoned one"),
    # futures and tasks
    "future": _spec("label", "create_future()"),
    "on_done": _spec("label label body value?", "future.add_done_callback(callback)"),
    "resolve": _spec("label", "future.set_result(None)"),
    "cancel_future": _spec("label text?", "future.cancel(message)"),
    "task": _spec(
        "label body count?", "create_task of a coroutine with these steps that swallows `count` cancellations"
    ),
    "cancel_task": _spec("label text?", "task.cancel(message)"),
    "await": _spec("label", "inside a task: await that future"),
    "yield": _spec("", "inside a task: await asyncio.sleep(0)"),
    "pause": _spec("ms", "inside a task: await asyncio.sleep(ms / 1000)"),
    # threads and signals
    "thread": _spec("label body", "start a thread that performs these actions"),
    "flood": _spec("label count", "call_soon_threadsafe(label#0…) as fast as it goes"),
    "pingpong": _spec("label count", "in a thread: call_soon_threadsafe, wait until it ran, and so on"),
    "on_signal": _spec(
        "label body", "a Python signal handler for SIGUSR1 that calls call_soon_threadsafe(callback)"
    ),
    "signal": _spec("", "send SIGUSR1 to this process"),
    "finalize": _spec(
        "label body text?",
        "call_soon_threadsafe from a __del__: of what is dropped ('drop'), of an argument of a cancelled "
        "timer ('cancel'), of what is collected inside a call_soon_threadsafe ('cycle')",
    ),
    # life cycle
    "debug": _spec("", "set_debug(True)"),
    "run": _spec("", "run_forever() until nothing is left to happen"),
    "run_until": _spec("label", "run_until_complete(future or task)"),
    "stop": _spec("", "stop()"),
    "close": _spec("", "close()"),
    "attempt": _spec("text", "try that method of the loop and note what it returned or raised"),
    "handler": _spec("text", "set_exception_handler: 'note', 'raise' (a broken handler) or 'none'"),
    "executor": _spec("label", "run_in_executor a job that waits until it is released"),
    "release": _spec("label", "let that job end"),
    "fork": _spec("", "fork; the child looks at its running loop, closes the loop and exits"),
    "measure": _spec("text", "note open fds, threads, CPU time, memory and context switches under that name"),
}

SELECTOR_ACTIONS: dict[str, ActionSpec] = {
    "register": _spec("pair text", "register our end for 'r', 'w' or 'rw'"),
    "modify": _spec("pair text", "modify the registration; the same letters"),
    "unregister": _spec("pair", "unregister our end"),
    "refuse": _spec("text", "a call that must be refused, by name"),
    "fail": _spec("text", "a call that the kernel may refuse, by name"),
    "select": _spec(
        "ms", "select(ms / 1000), ms may be 'none'; what is ready is noted beside what must and may be"
    ),
    "map": _spec("", "look at get_map and get_key of all there is"),
    "pipe": _spec("pair text", "make the pair the two ends of a pipe; ours reads ('r') or writes ('w')"),
    "send": _spec("pair count", "the peer sends that many bytes"),
    "recv": _spec("pair count", "our end receives at most that many bytes"),
    "fill": _spec("pair", "our end sends until the kernel takes no more"),
    "drain": _spec("pair", "the peer reads all there is"),
    "shutdown": _spec("pair", "the peer shuts down its sending side"),
    "hangup": _spec("pair", "the peer closes"),
    "abandon": _spec("pair text?", "close our end without unregistering it; 'dup': a duplicate stays open"),
    "forget": _spec("pair", "unregister an abandoned end"),
    "reuse": _spec("pair", "a fresh pair takes the fd number of an abandoned one"),
    "many": _spec("count", "open and register that many readable pairs"),
    "alarm": _spec("ms", "a signal, with a Python handler, arrives after that time"),
    "wake": _spec("pair ms", "a thread sends one byte after that time"),
}

BODY_ACTIONS = frozenset(kind for kind, spec in LOOP_ACTIONS.items() if "body" in spec.fields)


def as_json(program: Program) -> str:
    """The program as one line of JSON, as short as it can be."""
    return json.dumps(program, separators=(",", ":"))


def parse(text: str, vocabulary: dict[str, ActionSpec]) -> Program:
    """Read a program from JSON; UsageError with one clear line when it is none."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--program: not JSON ({error})") from None
    return _checked_body(data, vocabulary, "program")


def _checked_body(data: object, vocabulary: dict[str, ActionSpec], where: str) -> Program:
    if not isinstance(data, list):
        raise UsageError(f"--program: {where} is {data!r}, not a list of actions")
    return tuple(_checked(action, vocabulary) for action in data)


def _checked(data: object, vocabulary: dict[str, ActionSpec]) -> Action:
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        raise UsageError(f"--program: {data!r} is not an action: a list that starts with its kind")
    kind, *arguments = data
    spec = vocabulary.get(kind)
    if spec is None:
        raise UsageError(f"--program: no action {kind!r}; there are: {', '.join(sorted(vocabulary))}")
    required = sum(not field.endswith("?") for field in spec.fields)
    if not required <= len(arguments) <= len(spec.fields):
        raise UsageError(
            f"--program: {kind!r} takes ({', '.join(spec.fields)}), not {len(arguments)} arguments"
        )
    return (kind, *(_argument(kind, f, a, vocabulary) for f, a in zip(spec.fields, arguments, strict=False)))


def _argument(kind: str, field: str, value: object, vocabulary: dict[str, ActionSpec]) -> Any:
    name = field.rstrip("?")
    if name == "body":
        return _checked_body(value, vocabulary, f"the body of {kind!r}")
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    fits = {
        "label": isinstance(value, str) and value != "",
        "text": isinstance(value, str),
        "ms": number or value in ("nan", "inf", "none"),
        "us": number,
        "value": isinstance(value, int) or value is None,
        "count": isinstance(value, int) and value >= 0,
        "pair": isinstance(value, int) and 0 <= value < 64,
    }[name]
    if not fits:
        raise UsageError(f"--program: {kind!r} has {value!r} where a {name} belongs")
    return value


def walk(program: Program) -> Iterator[Action]:
    """Every action, outer ones before those of their bodies."""
    for action in program:
        yield action
        for argument in action[1:]:
            if isinstance(argument, tuple):
                yield from walk(argument)


def as_tuples(data: list[Any]) -> Program:
    """A program from its JSON data, which is known to be one."""
    return tuple(as_tuples(item) if isinstance(item, list) else item for item in data)
