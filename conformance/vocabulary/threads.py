"""Threads, signals and finalizers: what comes from outside the loop."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "thread": spec("label body", "start a thread that performs these actions"),
    "flood": spec("label count", "call_soon_threadsafe(label#0…) as fast as it goes"),
    "pingpong": spec("label count", "in a thread: call_soon_threadsafe, wait until it ran, and so on"),
    "on_signal": spec(
        "label body", "a Python signal handler for SIGUSR1 that calls call_soon_threadsafe(callback)"
    ),
    "signal": spec("", "send SIGUSR1 to the thread of the loop"),
    "finalize": spec(
        "label body text?",
        "call_soon_threadsafe from a __del__: of what is dropped ('drop'), of an argument of a cancelled "
        "timer ('cancel'), of what dies while a call_soon_threadsafe is under way ('inside')",
        *("drop", "cancel", "inside"),
    ),
}
