"""Subprocesses: shells that talk, echo or wait, and what is done to them."""

from __future__ import annotations

from .spec import ActionSpec, spec

ROLES = ("talk", "echo", "wait")
"""What a process does before it ends: print so many bytes, hand back what it is told, wait for a while."""
SIGNALS = ("terminate", "kill", "SIGUSR1")

ACTIONS: dict[str, ActionSpec] = {
    "spawn": spec(
        "label text count value",
        "subprocess_exec with a protocol: a shell that talks `count` bytes on each of its outputs ('talk'), "
        "echoes as many ('echo') or waits ('wait'), and ends with that exit code, or by the signal -`value`",
        *ROLES,
    ),
    "communicate": spec(
        "label text count value",
        "the same by asyncio.create_subprocess_exec and communicate(), in a task of its own",
        *ROLES,
    ),
    "wait_process": spec("label", "another task waits for the end of that process"),
    "kill_process": spec("label text", "terminate(), kill() or send_signal() that process", *SIGNALS),
    "cancel_process": spec("label", "cancel the task that starts that process and waits for it"),
    "children": spec("", "wait until all children have ended and been reaped, and note whether they have"),
}
