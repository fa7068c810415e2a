"""Subprocesses: what goes through their pipes, how they end, and what is left of them."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from collector import collect
from loops_under_test import SELECTORS, new_loop, opened, run_in_time
from muxloop import EventLoop, VirtualClock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows' select watches no processes")

PIPE = subprocess.PIPE
SLEEP = ("sleep", "1000")


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


@pytest.fixture(params=["pidfd", "thread"])
def watched(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two ways in which a loop learns that a child has ended."""
    way: str = request.param
    if way == "thread":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("this system has no pidfds")
    return way


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No child, dead or alive, and no descriptor."""
    collect()  # what other tests have left
    before = set(os.listdir("/dev/fd"))
    yield
    collect()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
    assert set(os.listdir("/dev/fd")) - before == set()


class Told(asyncio.SubprocessProtocol):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.data = {1: b"", 2: b""}
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.events.append("made")

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.data[fd] += data

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.events.append((fd, exc))

    def process_exited(self) -> None:
        self.events.append("exited")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost.set_result(exc)


def test_a_process_from_beginning_to_end(loop: EventLoop, watched: str) -> None:
    async def main() -> None:
        transport, protocol = await loop.subprocess_shell(Told, "cat; echo oh >&2; exit 3")
        popen = transport.get_extra_info("subprocess")
        assert popen.pid == transport.get_pid()
        assert transport.get_returncode() is None
        stdin: Any = transport.get_pipe_transport(0)
        assert isinstance(stdin, asyncio.WriteTransport)
        assert isinstance(transport.get_pipe_transport(2), asyncio.ReadTransport)
        assert protocol.events in ([], ["made"])
        stdin.write(b"through")
        stdin.close()
        assert await protocol.lost is None
        assert protocol.data == {1: b"through", 2: b"oh\n"}
        assert protocol.events[0] == "made"
        assert set(protocol.events[1:-1]) == {(0, None), (1, None), (2, None), "exited"}
        assert len(protocol.events) == 6
        assert transport.get_returncode() == popen.returncode == 3
        transport.close()

    loop.run_until_complete(main())
    if watched == "pidfd":
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("muxloop")]


def test_megabytes_both_ways(loop: EventLoop) -> None:
    data = bytes(range(256)) * 12_000

    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE)
        assert await process.communicate(data) == (data, None)
        assert process.returncode == 0

    loop.run_until_complete(main())


def test_by_streams(loop: EventLoop) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell(
            "while read line; do echo $line; done", stdin=PIPE, stdout=PIPE
        )
        assert process.stdin is not None
        assert process.stdout is not None
        for line in (b"one\n", b"two\n"):
            process.stdin.write(line)
            await process.stdin.drain()
            assert await process.stdout.readline() == line
        process.stdin.close()
        await process.stdin.wait_closed()
        assert await process.wait() == 0
        assert await process.stdout.read() == b""

    loop.run_until_complete(main())


@pytest.mark.parametrize(
    ("ending", "code"), [("exit 0", 0), ("exit 255", 255), ("kill -9 $$", -9), ("kill -15 $$", -15)]
)
@pytest.mark.usefixtures("watched")
def test_all_who_wait_learn_the_exit_code(loop: EventLoop, ending: str, code: int) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell(f"read line; {ending}", stdin=PIPE)
        waits = [loop.create_task(process.wait()) for _ in range(5)]
        await asyncio.sleep(0)
        assert waits.pop().cancel()
        await process.communicate(b"go\n")
        assert await asyncio.gather(*waits, process.wait()) == [code] * 5
        assert process.returncode == code

    loop.run_until_complete(main())


@pytest.mark.usefixtures("watched")
def test_many_at_once(loop: EventLoop) -> None:
    async def one(number: int) -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=PIPE, stdout=PIPE, stderr=PIPE)
        assert await process.communicate(b"%d" % number * 1000) == (b"%d" % number * 1000, b"")
        assert process.returncode == 0

    async def main() -> None:
        await asyncio.gather(*(one(number) for number in range(50)))

    loop.run_until_complete(main())


def test_a_process_that_does_not_read_breaks_the_pipe_alone(loop: EventLoop) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell("exec <&-; echo out; exit 4", stdin=PIPE, stdout=PIPE)
        assert await process.communicate(bytes(1 << 20)) == (b"out\n", None)
        assert process.returncode == 4

    loop.run_until_complete(main())


def test_a_grandchild_that_holds_the_pipes_does_not_hold_up_who_waits(loop: EventLoop) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_shell("sleep 1000 & echo $!; exit 5", stdout=PIPE)
        assert process.stdout is not None
        grandchild = int(await process.stdout.readline())
        assert await process.wait() == 5
        with pytest.raises(ProcessLookupError, match="exit code 5"):
            process.kill()
        os.kill(grandchild, signal.SIGKILL)
        assert await process.stdout.read() == b""

    run_in_time(loop, main())


@pytest.mark.usefixtures("watched")
@pytest.mark.parametrize("count", [0, 60_000])
def test_whoever_waited_may_forget_it(loop: EventLoop, count: int) -> None:
    """All is closed by then, though what was written has not been asked for."""

    async def main() -> None:
        process = await asyncio.create_subprocess_shell(
            f"yes | head -c {count}; yes | head -c {count} >&2", stdout=PIPE, stderr=PIPE
        )
        assert await process.wait() == 0

    gc.collect()  # what other tests have left
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop.run_until_complete(main())
        loop.close()
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


def test_whoever_waited_may_forget_it_though_a_grandchild_holds_its_pipes(loop: EventLoop) -> None:
    async def main() -> int:
        process = await asyncio.create_subprocess_shell("sleep 1000 & echo $!", stdout=PIPE)
        assert process.stdout is not None
        grandchild = int(await process.stdout.readline())
        assert await process.wait() == 0
        return grandchild

    gc.collect()  # what other tests have left
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        os.kill(loop.run_until_complete(main()), signal.SIGKILL)
        loop.close()
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.usefixtures("watched")
def test_the_dead_are_sent_no_signal(loop: EventLoop) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec(*SLEEP)
        process.send_signal(signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)
        process.terminate()
        assert await process.wait() == -signal.SIGTERM
        for refused in (process.kill, process.terminate, lambda: process.send_signal(signal.SIGHUP)):
            with pytest.raises(ProcessLookupError):
                refused()

    loop.run_until_complete(main())


@pytest.mark.parametrize("steps", range(8))
@pytest.mark.parametrize("how", ["exec", "shell"])
@pytest.mark.usefixtures("watched")
def test_a_cancelled_start_leaves_nothing(loop: EventLoop, how: str, steps: int) -> None:
    """Whatever step it is cancelled in; and no grandchild that holds the pipes makes it wait."""

    async def main() -> None:
        if how == "exec":
            start = asyncio.create_subprocess_exec(*SLEEP, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        else:
            start = asyncio.create_subprocess_shell("sleep 3 & exec sleep 1000", stdin=PIPE, stdout=PIPE)
        task = loop.create_task(start)
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            process = await task
            process.kill()
            await process.wait()
            process._transport.close()  # type: ignore[attr-defined]
        while len(asyncio.all_tasks()) > 1 or loop._readiness.interests:
            await asyncio.sleep(0.001)

    run_in_time(loop, main())


@pytest.mark.skipif(
    sys.implementation.name == "pypy",
    reason="pipes that were never connected are closed with the last reference, which PyPy keeps for a while",
)
def test_all_tasks_cancelled_in_the_middle_of_a_start(loop: EventLoop) -> None:
    """As asyncio.run() does it: the task that connects the pipes is cancelled, too."""

    async def main(steps: int) -> None:
        start = asyncio.create_subprocess_exec(*SLEEP, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        starting = loop.create_task(start)
        for _ in range(steps):
            await asyncio.sleep(0)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        for outcome in await asyncio.gather(*others, return_exceptions=True):
            if isinstance(outcome, asyncio.subprocess.Process):
                outcome.kill()
                await outcome.wait()
        assert starting.done()
        while loop._readiness.interests:
            await asyncio.sleep(0.001)

    for steps in range(7):
        run_in_time(loop, main(steps))


@pytest.mark.usefixtures("watched")
def test_close_kills_what_still_runs(loop: EventLoop) -> None:
    async def main() -> None:
        transport, protocol = await loop.subprocess_exec(Told, *SLEEP)
        transport.close()
        transport.close()
        await protocol.lost
        assert transport.get_returncode() == -signal.SIGKILL
        assert protocol.events[-1] == "lost"
        assert "returncode=-9" in repr(transport)

    loop.run_until_complete(main())


needs_waitid = pytest.mark.skipif(
    not hasattr(os, "waitid"), reason="without os.waitid the waiting thread reaps, before anybody else can"
)


@needs_waitid
@pytest.mark.usefixtures("watched")
def test_reaped_by_somebody_else(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec(*SLEEP)
        process.kill()
        os.waitpid(process.pid, 0)
        with caplog.at_level(logging.WARNING, "asyncio"):
            assert await process.wait() == 255
        assert "reaped by somebody else" in caplog.text

    loop.run_until_complete(main())


@needs_waitid
@pytest.mark.usefixtures("watched")
def test_reaped_by_its_own_popen_nothing_is_lost(loop: EventLoop, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        transport, protocol = await loop.subprocess_exec(Told, *SLEEP)
        transport.terminate()
        assert transport.get_extra_info("subprocess").wait() == -signal.SIGTERM
        await protocol.lost
        assert transport.get_returncode() == -signal.SIGTERM
        transport.close()

    loop.run_until_complete(main())
    assert not caplog.records


@pytest.mark.usefixtures("watched")
def test_in_a_loop_of_another_thread(loop: EventLoop) -> None:
    codes: list[int] = []

    async def main() -> None:
        process = await asyncio.create_subprocess_shell("exit 9")
        codes.append(await process.wait())

    thread = threading.Thread(target=loop.run_until_complete, args=(main(),))
    thread.start()
    thread.join()
    assert codes == [9]


@pytest.mark.usefixtures("watched")
def test_a_loop_closed_while_children_run_leaves_no_descriptor(loop: EventLoop) -> None:
    async def main() -> Any:
        return await asyncio.create_subprocess_exec(*SLEEP, stdout=PIPE)

    def run() -> int:
        process = loop.run_until_complete(main())
        loop.close()
        pid: int = process.pid
        os.kill(pid, 0)  # it runs on until its transport is let go
        del process
        collect()
        return pid

    with pytest.warns(ResourceWarning, match="unclosed transport"):
        pid = run()
    for thread in threading.enumerate():
        if thread.name.startswith("muxloop-waits"):
            thread.join()
    with suppress(ChildProcessError):  # Popen's finaliser or the thread has reaped it
        assert os.waitpid(pid, 0) == (pid, signal.SIGKILL)


@pytest.mark.parametrize("selector", SELECTORS)
@pytest.mark.usefixtures("watched")
def test_a_virtual_clock_keeps_real_time_while_a_child_runs(selector: str) -> None:
    loop = new_loop(selector, VirtualClock())

    async def main() -> None:
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec("sleep", "0.1")
        assert await asyncio.wait_for(process.wait(), 3600) == 0
        assert time.monotonic() - started >= 0.1
        before = loop.time()
        assert before < 3600
        await asyncio.sleep(3600)  # without a child it jumps
        assert loop.time() >= before + 3600

    loop.run_until_complete(main())
    loop.close()


def test_debug_mode_tells_the_program_but_not_its_arguments(
    loop: EventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    loop.set_debug(True)

    async def main(start: Callable[..., Any], *args: str) -> None:
        transport, protocol = await start(Told, *args)
        await protocol.lost
        transport.close()

    with caplog.at_level(logging.DEBUG, "asyncio"):
        loop.run_until_complete(main(loop.subprocess_exec, "true", "password"))
    assert "'true' started: <SubprocessTransport" in caplog.text
    assert "password" not in caplog.text
