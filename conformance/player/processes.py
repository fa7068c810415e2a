"""Actions on subprocesses, and the protocol that notes what a loop says of one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio import subprocess
from collections.abc import Coroutine
from typing import Any

from .lifecycle import LifeCycle

LINE = b"0123456789\n"
WAIT_S = 0.2
"""So long a process waits that nobody kills: a play must end."""
WITHIN_S = 1.0
"""A process is expected to end in this time (times the tolerance)."""


def shell_script(role: str, count: int, status: int) -> str:
    """What ``sh -c`` is told: do that, then end with the exit code, or by the signal if it is negative."""
    ending = f"exit {status}" if status >= 0 else f"kill -{-status} $$"
    doing = {
        "talk": f"yes 0123456789 | head -c {count}; yes 0123456789 | head -c {count} >&2",
        "echo": "cat",
        "wait": f"sleep {WAIT_S}",
    }[role]
    return f"{doing}; {ending}"


def text_of(count: int) -> bytes:
    """The bytes that a process talks, or is told."""
    return (LINE * (count // len(LINE) + 1))[:count]


class Processes(LifeCycle):
    """spawn, communicate, wait_process, kill_process, cancel_process, children."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._processes: dict[str, Any] = {}
        """Transports and asyncio's Processes; both can be sent signals."""
        self._starting: dict[str, asyncio.Task[None]] = {}
        self._pids: list[int] = []

    def do_spawn(self, label: str, text: str, count: int, value: int) -> None:
        self._begin(label, self._spawn(label, text, count, value))

    def do_communicate(self, label: str, text: str, count: int, value: int) -> None:
        self._begin(label, self._communicate(label, text, count, value))

    def _begin(self, label: str, steps: Coroutine[Any, Any, None]) -> None:
        if label in self._starting:
            steps.close()
            return
        self.expect(label, WITHIN_S * self.tolerance)
        task = self._starting[label] = self.loop.create_task(steps)
        task.add_done_callback(lambda done: self._begun(label, done))

    def _begun(self, label: str, task: asyncio.Task[None]) -> None:
        self._activity += 1
        error = "cancelled" if task.cancelled() else task.exception()
        self.note("process-task", label, error=_told(error) if error else None)
        if error or isinstance(self._processes.get(label), subprocess.Process):
            self.met(label)
        self.consider_ending()

    async def _spawn(self, label: str, text: str, count: int, value: int) -> None:
        noted = _Noted(self, label)
        self.note("spawning", label, role=text, count=count, status=value)
        transport, _ = await self.loop.subprocess_exec(
            lambda: noted, "sh", "-c", shell_script(text, count, value), stdin=subprocess.PIPE
        )
        self._processes[label] = transport
        self._pids.append(transport.get_pid())
        self.note("spawned", label)
        stdin: Any = transport.get_pipe_transport(0)
        if text == "echo":
            stdin.write(text_of(count))
        stdin.close()

    async def _communicate(self, label: str, text: str, count: int, value: int) -> None:
        self.note("spawning", label, role=text, count=count, status=value)
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", shell_script(text, count, value)),
            **dict.fromkeys(["stdin", "stdout", "stderr"], subprocess.PIPE),  # type: ignore[arg-type]
        )
        self._processes[label] = process
        self._pids.append(process.pid)
        self.note("spawned", label)
        output, errors = await process.communicate(text_of(count) if text == "echo" else None)
        self.note(
            "communicated",
            label,
            status=process.returncode,
            seen={1: _seen(output), 2: _seen(errors)},
        )

    def do_wait_process(self, label: str) -> None:
        process = self._processes.get(label)
        if not isinstance(process, subprocess.Process):
            return
        name = self.fresh(f"wait {label}")
        self.expect(name, WITHIN_S * self.tolerance)
        self.note("waiting", label, name=name)

        async def waiting() -> None:
            status = await process.wait()
            self.note("waited", label, name=name, status=status)
            self.arrived(name)

        self._starting[name] = self.loop.create_task(waiting())

    def do_kill_process(self, label: str, text: str) -> None:
        process = self._processes.get(label)
        if process is None:
            return
        error = None
        ended = self._status(process) is not None
        try:
            if text.startswith("SIG"):
                process.send_signal(getattr(signal, text))
            else:
                getattr(process, text)()
        except Exception as caught:
            error = _told(caught)
        self.note("signalled", label, text=text, ended=ended, error=error)

    def _status(self, process: Any) -> int | None:
        if isinstance(process, subprocess.Process):
            return process.returncode
        status: int | None = process.get_returncode()
        return status

    def do_cancel_process(self, label: str) -> None:
        task = self._starting.get(label)
        if task is not None:
            self.note("cancel-process", label, said=task.cancel(), running=label in self._processes)

    def do_children(self) -> None:
        name = self.fresh("children")
        within = WITHIN_S * self.tolerance
        self.expect(name, within)
        self._await_children(name, self.now() + within)

    def _await_children(self, name: str, until: float) -> None:
        """Give the loop time to reap what ends, and note what is left then."""
        state = _children()
        if state != "none" and self.now() < until:
            self.loop.call_later(0.002, self._await_children, name, until)
            return
        self.note("children", name, state=state)
        self.arrived(name)

    def end_processes(self) -> None:
        """Kill what the program, or a loop that lost it, left behind."""
        for pid in self._pids:
            # A number that was reaped may be another's by now; one that can be waited for is ours.
            with contextlib.suppress(ChildProcessError, ProcessLookupError):
                os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


class _Noted(asyncio.SubprocessProtocol):
    """Notes what the loop says."""

    def __init__(self, player: Processes, label: str) -> None:
        self._player, self._label = player, label
        self._transport: Any = None
        self._outputs = {1: bytearray(), 2: bytearray()}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        popen: Any = transport.get_extra_info("subprocess")
        known = getattr(popen, "pid", None) == self._transport.get_pid()
        self._player.note("process-made", self._label, known=known)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self._outputs[fd] += data

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        seen = _seen(bytes(self._outputs.get(fd, b"")))
        self._player.note("pipe-lost", self._label, fd=fd, seen=seen, error=_told(exc) if exc else None)

    def process_exited(self) -> None:
        self._player.note("process-exited", self._label, status=self._transport.get_returncode())

    def connection_lost(self, exc: Exception | None) -> None:
        player = self._player
        player.note("process-lost", self._label, error=_told(exc) if exc else None)
        player.arrived(self._label)


def _seen(data: bytes) -> int:
    """How many bytes came; a negative number when they are not those that were sent."""
    return len(data) if data == text_of(len(data)) else -len(data)


def _told(error: object) -> str:
    return error if isinstance(error, str) else f"{type(error).__name__}: {error}"


def _children() -> str:
    """ "none", "living" or "zombie": whether this process has children, and one that nobody has reaped."""
    try:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return "none"
    return "zombie" if ended is not None else "living"
