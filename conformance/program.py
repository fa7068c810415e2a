"""Programs: what is played on a loop, as plain data.

A program is a tuple of actions, an action is a tuple ``(kind, argument, …)``, and a body is a tuple of
actions that a callback performs each time it runs. The same data is JSON, with lists for tuples: what
a report holds and what ``muxloop conform --program`` takes.

The actions of the outermost tuple are performed outside the loop, one after the other; ``("run",)`` runs
the loop until nothing is left to happen. The kinds of actions stand in ``vocabulary/``.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterator
from typing import Any

from ..errors import UsageError
from .vocabulary import ActionSpec

Action = tuple[Any, ...]
Program = tuple[Action, ...]


DEEPEST = 40
"""Bodies nested deeper than this are refused: Python's own parser could not read them as a script."""
LONGEST_MS = 2000
"""Nothing in a program keeps a thread or a selector waiting longer: the hard limit of a play is near."""
MOST = 100_000
"""The highest count: of callbacks, bytes, timers."""
LARGEST = 8 << 20
"""The most bytes that are written at once."""
PAIRS = 64


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
        raise UsageError(f"--program: no action {_brief(kind)}; {_offered(kind, vocabulary)}")
    if spec.place == "outermost" and inside:
        raise UsageError(f"--program: {kind!r} stands inside {inside[-1]!r}; it belongs outside all bodies")
    if spec.place == "task" and not (inside and vocabulary[inside[-1]].steps):
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


def _offered(kind: str, vocabulary: dict[str, ActionSpec]) -> str:
    """What there is instead: the names that are most like it, and some of all."""
    nearest = difflib.get_close_matches(kind[:40], vocabulary, cutoff=0.5)
    some = ", ".join(sorted(vocabulary)[:20])
    like = f"nearest: {', '.join(nearest)}; " if nearest else ""
    return f"{like}there are {len(vocabulary)}: {some}, …"


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
        "size": (whole and 0 <= value <= LARGEST, f"a number of bytes up to {LARGEST}"),  # type: ignore[operator]
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
