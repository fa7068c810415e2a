"""How the faults of `faulty_processes` show."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import PIPE
from typing import Any

from faulty_processes import ProcessLoop
from symptoms import shows

SOUND = (ProcessLoop,)
TALKS = "yes 0123456789 | head -c 70000"


def told(loop: Any, patience_s: float, shell: str) -> list[str]:
    """What the protocol of a process is told, in order, with the size of its output."""
    log: list[str] = []
    over = loop.create_future()
    size = 0

    class Noting(asyncio.SubprocessProtocol):
        def pipe_data_received(self, _fd: int, data: bytes) -> None:
            nonlocal size
            size += len(data)

        def pipe_connection_lost(self, fd: int, _exc: Exception | None) -> None:
            if fd == 1:
                log.append(f"output {size}")

        def process_exited(self) -> None:
            log.append("exited")

        def connection_lost(self, _exc: Exception | None) -> None:
            log.append("lost")
            loop.call_later(0.05, over.set_result, None)

    async def start() -> None:
        await loop.subprocess_exec(Noting, "sh", "-c", shell, stdin=None, stderr=None)
        await asyncio.wait_for(over, patience_s)

    loop.run_until_complete(start())
    return log


@shows("signal_as_exit_code", right=-signal.SIGTERM, sound=SOUND)
def a_process_dies_of_a_signal(loop: Any, _patience_s: float) -> object:
    async def end() -> object:
        process = await asyncio.create_subprocess_exec("sh", "-c", "kill -TERM $$")
        return await process.wait()

    return loop.run_until_complete(end())


@shows("last_words_lost", right="output 70000", sound=SOUND)
def the_output_is_complete(loop: Any, patience_s: float) -> object:
    # The process that is watched ends soon, when its pipes are connected; its child goes on talking.
    log = told(loop, patience_s, f"(sleep 0.3; {TALKS}) & sleep 0.1")
    return next((line for line in log if line.startswith("output")), None)


@shows("exit_told_twice", right=1, sound=SOUND)
def the_exit_is_told_once(loop: Any, patience_s: float) -> object:
    return told(loop, patience_s, "exit 3").count("exited")


@shows("pipes_outlive_connection", right="lost", sound=SOUND)
def the_loss_comes_last(loop: Any, patience_s: float) -> object:
    return told(loop, patience_s, "sleep 0.02 &")[-1]


@shows("one_waiter_woken", right=[0, 0], sound=SOUND)
def all_who_wait_are_woken(loop: Any, patience_s: float) -> object:
    async def end() -> object:
        process = await asyncio.create_subprocess_exec("sh", "-c", "sleep 0.05")
        waiters = [asyncio.ensure_future(process.wait()) for _ in range(2)]
        await asyncio.wait(waiters, timeout=patience_s)
        return [waiter.result() if waiter.done() else None for waiter in waiters]

    return loop.run_until_complete(end())


@shows("dead_are_signalled", right="ProcessLookupError", sound=SOUND)
def the_dead_cannot_be_signalled(loop: Any, _patience_s: float) -> object:
    async def end() -> str:
        process = await asyncio.create_subprocess_exec("true", stdout=PIPE)
        await process.communicate()
        try:
            process.kill()
        except ProcessLookupError as error:
            return type(error).__name__
        return "nothing"

    return loop.run_until_complete(end())


@shows("cancelled_start_leaves_zombie", right="no children", sound=SOUND)
def a_cancelled_start_is_reaped(loop: Any, patience_s: float) -> object:
    async def end() -> str:
        starting = asyncio.ensure_future(asyncio.create_subprocess_exec("sh", "-c", "sleep 5", stdin=PIPE))
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])
        until = loop.time() + patience_s
        while loop.time() < until:
            try:
                os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return "no children"
            await asyncio.sleep(0.005)
        os.waitpid(-1, 0)
        return "a zombie"

    return loop.run_until_complete(end())


@shows("nameless_process", right=True, sound=SOUND)
def a_transport_knows_its_process(loop: Any, _patience_s: float) -> object:
    async def start() -> bool:
        transport, _ = await loop.subprocess_exec(asyncio.SubprocessProtocol, "true")
        known = transport.get_extra_info("subprocess") is not None
        await transport._wait()
        transport.close()
        return known

    return loop.run_until_complete(start())
