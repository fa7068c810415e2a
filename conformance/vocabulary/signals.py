"""Signals that the loop handles, and Ctrl-C under asyncio's Runner."""

from __future__ import annotations

from .spec import ActionSpec, spec

SIGNALS = ("SIGUSR1", "SIGUSR2")
"""What programs handle and send. SIGALRM belongs to whoever guards the process, SIGCHLD to subprocesses."""
REFUSED_ADDITIONS = {
    "add 0": ("ValueError",),
    "add -1": ("ValueError",),
    "add 4000": ("ValueError",),
    "add SIGKILL": ("ValueError",),
    "add SIGSTOP": ("ValueError",),
    # signal.signal() raises ValueError there, the loop's method RuntimeError: the docs name both.
    "add in a thread": ("RuntimeError", "ValueError"),
}
"""Calls of add_signal_handler that must be refused, and how."""
PRESSED_BY = ("thread", "child")
"""Where a Ctrl-C that nobody handles comes from."""

ACTIONS: dict[str, ActionSpec] = {
    "add_signal": spec("text label body", "add_signal_handler(signal, callback)", *SIGNALS),
    "remove_signal": spec("text", "remove_signal_handler(signal)", *SIGNALS),
    "kill": spec(
        "text count?", "send that signal to this process, so many times, if the loop has a handler", *SIGNALS
    ),
    "resend": spec("count", "inside a signal handler: send the signal again until it ran `count` times"),
    "refuse_signal": spec("text", "a call that must be refused, by name", *REFUSED_ADDITIONS),
    "runner": spec(
        "label body ms",
        "asyncio.Runner on a fresh loop; its main coroutine performs these and sleeps that long",
        place="outermost",
    ),
    "press": spec(
        "text ms",
        "Ctrl-C that nobody handles: SIGINT from a thread or a child, so long after the next run began",
        *PRESSED_BY,
        place="outermost",
    ),
    "interrupt": spec("", "send SIGINT to the main thread, while the main coroutine of a runner goes on"),
}
