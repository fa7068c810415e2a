"""Programs: what is played on a loop, as plain data.

A program is a tuple of actions, an action is a tuple ``(kind, argument, …)``, and a body is a tuple of
actions that a callback performs each time it runs. The same data is JSON, with lists for tuples: what
a report holds and what ``muxloop conform --program`` takes.

The actions of the outermost tuple are performed outside the loop, one after the other; ``("run",)`` runs
the loop until nothing is left to happen. This file knows the vocabulary and nothing of loops.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..errors import UsageError
from .file_kinds import KINDS

Action = tuple[Any, ...]
Program = tuple[Action, ...]


DEEPEST = 40
"""Bodies nested deeper than this are refused: Python's own parser could not read them as a script."""
LONGEST_MS = 2000
"""Nothing in a program keeps a thread or a selector waiting longer: the hard limit of a play is near."""
MOST = 100_000
"""The highest count: of callbacks, bytes, timers."""
PAIRS = 64
SETTLING = 1000
"""After so many waits a selector must have noticed which of its files are gone."""

REFUSALS = (
    "register twice",
    "unregister unknown",
    "modify unknown",
    "get_key unknown",
    "register no events",
    "register bad events",
    "register negative fd",
    "register no fileno",
    "register closed",
)
"""Calls on a selector that must be refused."""
FAILURES = ("register dead fd", "register regular file", "modify dead fd")
"""Calls on a selector that the kernel may refuse."""
ATTEMPTS = (
    *("call_soon", "call_soon_threadsafe", "call_later", "call_at", "run_in_executor"),
    *("run_forever", "run_until_complete", "another loop", "another loop with threads"),
    *("is_running", "is_closed", "time"),
)
"""Calls on a loop whose result or error is noted."""
SELECTOR_CALLS = ("register", "unregister", "modify", "get_key", "get_map", "select", "close")
"""Calls on a selector whose result or error is noted."""


@dataclass(frozen=True)
class ActionSpec:
    """The arguments of one kind of action, and what it does."""

    fields: tuple[str, ...]
    """Types of the arguments, in order; a trailing ``?`` marks one that may be left out."""
    meaning: str
    texts: tuple[str, ...] = ()
    """What a "text" may be; anything, when there are none."""
    place: str = "anywhere"
    """"anywhere", "outermost" (not inside a body) or "task" (in the steps of a task, nowhere else)."""


def _spec(fields: str, meaning: str, *texts: str, place: str = "anywhere") -> ActionSpec:
    return ActionSpec(tuple(fields.split()), meaning, texts, place)


LOOP_ACTIONS: dict[str, ActionSpec] = {
    # scheduling
    "soon": _spec("label body value?", "call_soon(callback), in a context where the variable is `value`"),
    "threadsafe": _spec("label body value?", "call_soon_threadsafe(callback)"),
    "later": _spec("label delay body value?", "call_later(ms / 1000, callback); ms may be 'nan' or 'inf'"),
    "at": _spec(
        "label delay body value?",
        "call_at(base + ms / 1000, callback), base being the loop's time at the start",
    ),
    "again": _spec(
        "count", "inside a callback: schedule it once more, as before, until it ran `count` times"
    ),
    "cancel": _spec("label", "cancel the handle of that callback"),
    "probe": _spec("label", "look at cancelled() and when() of the handle of that callback"),
    "bulk": _spec("label count delay us", "arm `count` timers label#0… at ms, ms + us/1000, …"),
    "cancel_bulk": _spec(
        "label count", "cancel those whose number is no multiple of `count` (0: all of them)"
    ),
    "setvar": _spec("value", "set the context variable"),
    "raise": _spec("text", "raise that exception, by name", "ValueError", "KeyboardInterrupt", "SystemExit"),
    "block": _spec("ms", "keep the thread busy that long"),
    # readiness: a pair is a connected pair of stream sockets, of which the loop watches one end
    "pipe": _spec(
        "pair text", "make the pair the two ends of a pipe; ours reads ('r') or writes ('w')", "r", "w"
    ),
    "reader": _spec(
        "pair label body text?", "add_reader on our end; by 'sock' (default) or by 'fd'", "sock", "fd"
    ),
    "writer": _spec("pair label body text?", "add_writer on our end", "sock", "fd"),
    "unreader": _spec("pair", "remove_reader"),
    "unwriter": _spec("pair", "remove_writer"),
    "send": _spec("pair count", "the peer sends that many bytes"),
    "recv": _spec("pair count", "our end receives at most that many bytes, without blocking"),
    "fill": _spec("pair", "our end sends until the kernel takes no more"),
    "drain": _spec("pair", "the peer reads all there is"),
    "hangup": _spec("pair", "the peer closes"),
    "abandon": _spec(
        "pair text?", "close our end without removing it; 'dup': a duplicate stays open", "", "dup"
    ),
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
    "await": _spec("label", "inside a task: await that future", place="task"),
    "yield": _spec("", "inside a task: await asyncio.sleep(0)", place="task"),
    "pause": _spec("ms", "inside a task: await asyncio.sleep(ms / 1000)", place="task"),
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
        "timer ('cancel'), of what dies while a call_soon_threadsafe is under way ('inside')",
        *("drop", "cancel", "inside"),
    ),
    # life cycle
    "debug": _spec("", "set_debug(True)"),
    "run": _spec("", "run_forever() until nothing is left to happen", place="outermost"),
    "run_until": _spec("label", "run_until_complete(future or task)", place="outermost"),
    "stop": _spec("", "stop()"),
    "close": _spec("", "close()"),
    "attempt": _spec("text", "try that method of the loop and note what it returned or raised", *ATTEMPTS),
    "handler": _spec(
        "text", "set_exception_handler: 'note', 'raise' (a broken handler) or 'none'", "note", "raise", "none"
    ),
    "executor": _spec("label", "run_in_executor a job that waits until it is released"),
    "release": _spec("label", "let that job end"),
    "fork": _spec("", "fork; the child looks at its running loop, closes the loop and exits"),
    "measure": _spec("text", "note open fds, threads, CPU time, memory and context switches under that name"),
}

SELECTOR_ACTIONS: dict[str, ActionSpec] = {
    "register": _spec("pair text", "register our end for 'r', 'w' or 'rw'", "r", "w", "rw"),
    "modify": _spec("pair text", "modify the registration; the same letters", "r", "w", "rw"),
    "unregister": _spec("pair", "unregister our end, by its object"),
    "refuse": _spec("text", "a call that must be refused, by name", *REFUSALS),
    "fail": _spec("text", "a call that the kernel may refuse, by name", *FAILURES),
    "select": _spec(
        "timeout",
        "select(timeout / 1000), in ms or 'none'; what is ready is noted beside what must and may be",
    ),
    "map": _spec("", "look at get_map and get_key of all there is"),
    # a "pair" is a file of any kind: our end, which is watched, and a peer that makes it ready
    "open": _spec("pair text", "open a file of that kind; without this it is a pair of sockets", *KINDS),
    "dup": _spec("pair pair", "our end of the first gets a second number, and the second pair is that"),
    "connect": _spec("pair", "our end, a client, connects without waiting"),
    "send": _spec("pair count", "the peer sends that many bytes; that many clients connect to a listener"),
    "recv": _spec("pair count", "our end receives at most that many bytes, or accepts"),
    "fill": _spec("pair", "our end sends until the kernel takes no more"),
    "drain": _spec("pair", "the peer reads all there is"),
    "shutdown": _spec(
        "pair text?",
        "shut down one direction: what the peer sends ('peer w'), what ours receives or sends",
        *("peer w", "ours r", "ours w"),
    ),
    "hangup": _spec("pair", "the peer closes"),
    "abandon": _spec(
        "pair text?", "close our end, registered or not; 'dup': a duplicate stays open", "", "dup"
    ),
    "forget": _spec("pair", "unregister our end, abandoned or not, by its number"),
    "reuse": _spec(
        "pair text?", "a fresh file of that kind takes the number of our end, closed or not", *KINDS
    ),
    "settle": _spec("", "select(0), as often as a selector may need to notice what was closed"),
    "fork": _spec("body", "fork; the child performs these and exits", place="outermost"),
    "close": _spec("", "close the selector"),
    "attempt": _spec("text", "make that call and note what it returned or raised", *SELECTOR_CALLS),
    "another": _spec("", "open, use and close more selectors; note which files that leaves open"),
    "many": _spec("count", "open and register that many readable pairs"),
    "alarm": _spec("ms", "a signal, with a Python handler, arrives after that time"),
    "wake": _spec("pair ms", "a thread sends one byte after that time"),
}


def as_json(program: Program) -> str:
    """The program as one line of JSON, as short as it can be."""
    return json.dumps(program, separators=(",", ":"))


def parse(text: str, vocabulary: dict[str, ActionSpec]) -> Program:
    """Read a program from JSON; UsageError with one clear line when it is none."""
    try:
        return _checked_body(_loaded(text), vocabulary, "the program", ())
    except RecursionError:
        raise UsageError(f"--program: nested deeper than {DEEPEST} bodies") from None


def _loaded(text: str) -> object:
    try:
        return json.loads(text, parse_constant=_no_number)
    except ValueError as error:
        raise UsageError(f"--program: not JSON ({error})") from None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON; a delay may be 'nan' or 'inf'")


def _checked_body(
    data: object, vocabulary: dict[str, ActionSpec], where: str, inside: tuple[str, ...]
) -> Program:
    """``inside`` names the kinds of the actions around this body, outermost first."""
    if not isinstance(data, list):
        raise UsageError(f"--program: {where} is {_brief(data)}, not a list of actions")
    if len(inside) > DEEPEST:
        raise UsageError(f"--program: nested deeper than {DEEPEST} bodies")
    return tuple(_checked(action, vocabulary, inside) for action in data)


def _checked(data: object, vocabulary: dict[str, ActionSpec], inside: tuple[str, ...]) -> Action:
    if not isinstance(data, list) or not data or not isinstance(data[0], str):
        raise UsageError(f"--program: {_brief(data)} is not an action: a list that starts with its kind")
    kind, *arguments = data
    spec = vocabulary.get(kind)
    if spec is None:
        raise UsageError(f"--program: no action {_brief(kind)}; there are: {', '.join(sorted(vocabulary))}")
    if spec.place == "outermost" and inside:
        raise UsageError(f"--program: {kind!r} stands inside {inside[-1]!r}; it belongs outside all bodies")
    if spec.place == "task" and inside[-1:] != ("task",):
        raise UsageError(f"--program: {kind!r} is no step of a task; it belongs right into the body of one")
    required = sum(not field.endswith("?") for field in spec.fields)
    if not required <= len(arguments) <= len(spec.fields):
        raise UsageError(
            f"--program: {kind!r} takes ({', '.join(spec.fields)}), not {len(arguments)} arguments"
        )
    made: list[Any] = []
    for field, argument in zip(spec.fields, arguments, strict=False):
        if field == "body":
            body = _checked_body(argument, vocabulary, f"the body of {kind!r}", (*inside, kind))
            made.append(body)
        else:
            made.append(_argument(kind, spec, field.rstrip("?"), argument))
    return (kind, *made)


def _argument(kind: str, spec: ActionSpec, field: str, value: object) -> object:
    """The argument as it is; UsageError that says what it may be when it is not that."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    number = whole or (isinstance(value, float) and math.isfinite(value))
    short = number and value <= LONGEST_MS  # type: ignore[operator]
    fits, wanted = {
        "label": (isinstance(value, str) and value != "", "a name"),
        "text": (
            isinstance(value, str) and (not spec.texts or value in spec.texts),
            "one of " + ", ".join(map(repr, spec.texts)) if spec.texts else "a string",
        ),
        "delay": (number or value in ("nan", "inf"), "a number of ms, 'nan' or 'inf'"),
        "ms": (short, f"a number of ms up to {LONGEST_MS}"),
        "timeout": (short or value == "none", f"a number of ms up to {LONGEST_MS}, or 'none'"),
        "us": (number, "a number of µs"),
        "value": (whole or value is None, "a whole number"),
        "count": (whole and 0 <= value <= MOST, f"a whole number up to {MOST}"),  # type: ignore[operator]
        "pair": (whole and 0 <= value < PAIRS, f"a whole number below {PAIRS}"),  # type: ignore[operator]
    }[field]
    if not fits:
        raise UsageError(f"--program: {kind!r} has {_brief(value)} as {field}; it takes {wanted}")
    return value


def _brief(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


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
