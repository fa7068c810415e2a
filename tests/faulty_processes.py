"""Faults in subprocesses (rules SUB)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from asyncio.unix_events import _UnixSubprocessTransport  # type: ignore[attr-defined]
from typing import Any

from faulty_base import FaultBed, SteppedLoop

PROCESS_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

Transport: Any = _UnixSubprocessTransport


class ProcessLoop(SteppedLoop):
    """The reference loop, with a thread for each process that waits for its end: sound as it stands."""

    transport_type: Any = Transport

    async def _make_subprocess_transport(
        self,
        protocol: Any,
        args: Any,
        shell: Any,
        *pipes: Any,
        extra: Any = None,
        **keywords: Any,
    ) -> Any:
        connected = self.create_future()
        transport = self.transport_type(
            self, protocol, args, shell, *pipes, waiter=connected, extra=extra, **keywords
        )
        await self._until_connected(transport, connected)
        return transport

    async def _until_connected(self, transport: Any, connected: asyncio.Future[None]) -> None:
        self._watch(transport)
        try:
            await connected
        except asyncio.CancelledError:
            transport.close()
            await transport._wait()
            raise

    def _watch(self, transport: Any) -> None:
        def wait() -> None:
            _, status = os.waitpid(transport.get_pid(), 0)
            code = os.waitstatus_to_exitcode(status)
            with contextlib.suppress(RuntimeError):  # closed meanwhile
                self.call_soon_threadsafe(transport._process_exited, code)

        threading.Thread(target=wait, daemon=True).start()


plant = PROCESS_FAULTS.plant_in(ProcessLoop, "transport_type")


@plant
class SignalAsExitCode(Transport):  # type: ignore[misc]
    """invented: a process that died of a signal is said to have exited with 128 + its number, as shells
    have it. Breaks SUB-01."""

    def _process_exited(self, returncode: int) -> None:
        super()._process_exited(returncode if returncode >= 0 else 128 - returncode)


@plant
class LastWordsLost(Transport):  # type: ignore[misc]
    """invented: when a process exits, its pipes are closed with what is still in them. Breaks SUB-01."""

    def _process_exited(self, returncode: int) -> None:
        for pipe in self._pipes.values():
            if pipe is not None:
                pipe.pipe.close()
        super()._process_exited(returncode)


@plant
class ExitToldTwice(Transport):  # type: ignore[misc]
    """invented: process_exited is called once more when the pipes are closed. Breaks SUB-01."""

    def _call_connection_lost(self, exc: Exception | None) -> None:
        self._protocol.process_exited()
        super()._call_connection_lost(exc)


@plant
class OneWaiterWoken(Transport):  # type: ignore[misc]
    """invented: of several who wait for the end of a process only the first is woken. Breaks SUB-01."""

    def _call_connection_lost(self, exc: Exception | None) -> None:
        del self._exit_waiters[1:]
        super()._call_connection_lost(exc)


@plant
class PipesOutliveConnection(Transport):  # type: ignore[misc]
    """seen in uvloop 0.23: connection_lost is called at the exit, before the pipes end. Breaks SUB-03."""

    def _try_finish(self) -> None:
        if self._returncode is not None and not self._finished:
            self._finished = True
            self._call(self._protocol.connection_lost, None)
        if not self._finished or any(p is None or not p.disconnected for p in self._pipes.values()):
            return
        for waiter in self._exit_waiters:
            if not waiter.done():
                waiter.set_result(self._returncode)


@plant
class DeadAreSignalled(Transport):  # type: ignore[misc]
    """invented: a signal to a process that has ended is dropped without a word. Breaks SUB-02."""

    def _check_proc(self) -> None:
        """Let everything pass."""

    def send_signal(self, signal: int) -> None:
        if self._proc is not None:
            super().send_signal(signal)

    def terminate(self) -> None:
        if self._proc is not None:
            super().terminate()

    def kill(self) -> None:
        if self._proc is not None:
            super().kill()


@PROCESS_FAULTS.plant
class CancelledStartLeavesZombie(ProcessLoop):
    """invented: a process is watched only once its pipes are connected, so that nobody reaps one whose start
    was cancelled. Breaks SUB-02."""

    async def _until_connected(self, transport: Any, connected: asyncio.Future[None]) -> None:
        try:
            await connected
        except asyncio.CancelledError:
            transport.close()
            raise
        self._watch(transport)


@plant
class NamelessProcess(Transport):  # type: ignore[misc]
    """seen in uvloop 0.23: get_extra_info("subprocess") knows of no process. Breaks SUB-04."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if name == "subprocess" else super().get_extra_info(name, default)
