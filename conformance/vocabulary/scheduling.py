"""Callbacks, timers, and what they do to themselves and each other."""

from __future__ import annotations

from .spec import ActionSpec, spec

ACTIONS: dict[str, ActionSpec] = {
    "soon": spec("label body value?", "call_soon(callback), in a context where the variable is `value`"),
    "threadsafe": spec("label body value?", "call_soon_threadsafe(callback)"),
    "later": spec("label delay body value?", "call_later(ms / 1000, callback); ms may be 'nan' or 'inf'"),
    "at": spec(
        "label delay body value?",
        "call_at(base + ms / 1000, callback), base being the loop's time at the start",
    ),
    "again": spec("count", "inside a callback: schedule it once more, as before, until it ran `count` times"),
    "cancel": spec("label", "cancel the handle of that callback"),
    "probe": spec("label", "look at cancelled() and when() of the handle of that callback"),
    "bulk": spec("label count delay us", "arm `count` timers label#0… at ms, ms + us/1000, …"),
    "cancel_bulk": spec(
        "label count", "cancel those whose number is no multiple of `count` (0: all of them)"
    ),
    "setvar": spec("value", "set the context variable"),
    "raise": spec("text", "raise that exception, by name", "ValueError", "KeyboardInterrupt", "SystemExit"),
    "block": spec("ms", "keep the thread busy that long"),
}
