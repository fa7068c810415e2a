"""What an action is: its arguments, what it does, and where in a program it may stand."""

from __future__ import annotations

from dataclasses import dataclass


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
    steps: bool = False
    """Whether its body is made of steps of a task."""


def spec(fields: str, meaning: str, *texts: str, place: str = "anywhere", steps: bool = False) -> ActionSpec:
    """One kind of action; ``fields`` are separated by blanks."""
    return ActionSpec(tuple(fields.split()), meaning, texts, place, steps)
