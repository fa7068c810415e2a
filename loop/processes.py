"""``subprocess_exec`` and ``subprocess_shell``.

The plumbing between a process, its pipes and its protocol is the standard library's
``BaseSubprocessTransport``. What is our own is what differs between its versions, and where a version is
behind the newest:

- ``wait()`` returns when the process and its pipes have ended, and does not wait for pipes that somebody else
  holds open (gh-119710) or whose reading is paused.
- A process that has ended is sent no signal: ProcessLookupError. Its number may be another's (gh-87744).
- A creation that fails or is cancelled while pipes are being connected leaves none of them open, and does
  not wait for them.

Source: https://docs.python.org/3/library/asyncio-subprocess.html
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from asyncio.base_subprocess import BaseSubprocessTransport
from asyncio.log import logger
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from .children import Children, Popen
from .pipes import P, Pipes

# What Popen takes for text and for buffers, and what of it a loop takes, which carries bytes.
_PLAIN = {
    "universal_newlines": (False, None),
    "text": (False, None),
    "encoding": (None,),
    "errors": (None,),
    "bufsize": (0,),
}


# So many turns of the loop take the end of a process to the end of its transport: what is left in a pipe is
# read in one or some, then its end; the pipe is closed; the protocols are told. (CPython 3.14 tells those who
# wait for a process before that, and a program that ends then leaves transports unclosed.)
_TURNS_FOR_THE_PIPES = 10


class SubprocessTransport(BaseSubprocessTransport):
    """A process and its pipes."""

    _loop: Any  # the loop; None once connection_lost has been called
    _proc: Popen | None
    _pid: int
    _returncode: int | None
    _pipes: dict[int, Any]
    _pending_calls: Any
    _closed: bool

    def _start(
        self, args: Any, shell: bool, stdin: Any, stdout: Any, stderr: Any, bufsize: int, **kwargs: Any
    ) -> None:
        self._ends: set[asyncio.Future[int]] = set()  # of those who wait for the end
        process = subprocess.Popen(
            args, shell=shell, stdin=stdin, stdout=stdout, stderr=stderr, bufsize=bufsize, **kwargs
        )
        try:
            self._loop._watch_child(process, self._process_exited)
        except BaseException:
            with process:  # closes its pipes and reaps it
                process.kill()
            raise
        self._proc = process

    async def _connect_pipes(self, waiter: asyncio.Future[Any] | None) -> None:
        process = self._proc
        await super()._connect_pipes(waiter)
        failed = self._pending_calls is not None
        if not failed and not self._closed:
            return
        for connected in self._pipes.values():
            if connected is not None:
                connected.pipe.close()
        if failed and process is not None:
            for file in (process.stdin, process.stdout, process.stderr):
                if file is not None:
                    file.close()

    def _process_exited(self, returncode: int) -> None:
        super()._process_exited(returncode)
        self._loop._lingering.add(self)
        self._tell_of_the_end(returncode, _TURNS_FOR_THE_PIPES)

    def _tell_of_the_end(self, returncode: int, turns: int) -> None:
        if turns and self._ends and self._loop is not None:
            self._loop.call_soon(self._tell_of_the_end, returncode, turns - 1)
            return
        for waiter in self._ends:
            if not waiter.done():
                waiter.set_result(returncode)
        self._ends.clear()

    def _close_pipes(self) -> None:
        """After the loop: nothing more will be told."""
        self.close()
        for connected in self._pipes.values():
            if connected is not None:
                connected.pipe.close()

    async def _wait(self) -> int:
        """The exit code, once the process has ended."""
        if self._returncode is not None:
            return self._returncode
        waiter: asyncio.Future[int] = self._loop.create_future()
        self._ends.add(waiter)
        try:
            return await waiter
        finally:
            self._ends.discard(waiter)

    def send_signal(self, signal: int) -> None:
        """Send a signal to the process. ProcessLookupError if it is known to have ended."""
        if self._returncode is not None:
            raise ProcessLookupError(f"process {self._pid} has ended with exit code {self._returncode}")
        os.kill(self._pid, signal)

    def terminate(self) -> None:
        """Send SIGTERM to the process; errors as ``send_signal``."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL to the process; errors as ``send_signal``."""
        self.send_signal(signal.SIGKILL)


class Processes(Pipes, Children):
    """A loop that starts processes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The transports of processes that have ended, though somebody else may hold their pipes open.
        self._lingering: WeakSet[SubprocessTransport] = WeakSet()

    def close(self) -> None:
        """As the rest of the loop's ``close``; the pipes of processes that have ended are closed.

        ``asyncio.subprocess.Process`` has no ``close``: whoever awaited ``wait()`` has done all there is.
        """
        super().close()
        for transport in list(self._lingering):
            transport._close_pipes()

    async def subprocess_exec(
        self,
        protocol_factory: Callable[[], P],
        program: Any,
        *args: Any,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
        shell: bool = False,
        **kwargs: Any,
    ) -> tuple[SubprocessTransport, P]:
        """Start ``program`` with ``args``; returns the transport and the protocol.

        ``stdin``, ``stdout`` and ``stderr`` are what ``subprocess.Popen`` takes, and so are further keywords,
        but for those of text and of buffers: ValueError. Errors of Popen are raised as they are. When this is
        cancelled, the process is killed and reaped. NotImplementedError on Windows.
        """
        _check("subprocess_exec", kwargs)
        if shell:
            raise ValueError(
                "subprocess_exec(): shell must be False; subprocess_shell() takes a command line"
            )
        return await self._spawn(protocol_factory, (program, *args), False, (stdin, stdout, stderr), kwargs)

    async def subprocess_shell(
        self,
        protocol_factory: Callable[[], P],
        cmd: bytes | str,
        *,
        stdin: Any = subprocess.PIPE,
        stdout: Any = subprocess.PIPE,
        stderr: Any = subprocess.PIPE,
        shell: bool = True,
        **kwargs: Any,
    ) -> tuple[SubprocessTransport, P]:
        """Let the shell run the command line ``cmd``; otherwise as ``subprocess_exec``.

        ValueError if ``cmd`` is neither str nor bytes.
        """
        _check("subprocess_shell", kwargs)
        if not isinstance(cmd, (bytes, str)):
            raise ValueError(f"subprocess_shell(): cmd must be a str or bytes, got {cmd!r}")
        if not shell:
            raise ValueError("subprocess_shell(): shell must be True; subprocess_exec() does without one")
        return await self._spawn(protocol_factory, cmd, True, (stdin, stdout, stderr), kwargs)

    async def _spawn(
        self,
        protocol_factory: Callable[[], P],
        args: Any,
        shell: bool,
        files: tuple[Any, Any, Any],
        kwargs: dict[str, Any],
    ) -> tuple[SubprocessTransport, P]:
        protocol: Any = protocol_factory()
        waiter: asyncio.Future[None] = self.create_future()
        transport = SubprocessTransport(self, protocol, args, shell, *files, 0, waiter=waiter, **kwargs)
        try:
            await waiter
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            transport.close()
            await transport._wait()
            raise
        if self._debug:
            # Not the arguments: there may be passwords among them.
            logger.info("%s started: %r", "shell" if shell else repr(args[0]), transport)
        return transport, protocol


def _check(method: str, kwargs: dict[str, Any]) -> None:
    """Take from ``kwargs`` what concerns text and buffers. ValueError if it asks for any."""
    if sys.platform == "win32":
        raise NotImplementedError(f"{method}(): Windows' select() watches neither processes nor pipes")
    for name, plain in _PLAIN.items():
        given = kwargs.pop(name, plain[0])
        if given not in plain:
            raise ValueError(f"{method}(): {name} must be {plain[0]}, got {given!r}: a loop carries bytes")
