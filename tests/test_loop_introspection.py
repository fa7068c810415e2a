"""What Python 3.14 shows of tasks, from within and from another process, it shows of tasks on our loop."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from loops_under_test import OURS, opened
from muxloop import EventLoop

pytestmark = pytest.mark.skipif(not hasattr(asyncio, "capture_call_graph"), reason="new in Python 3.14")


@pytest.fixture(params=OURS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


def test_the_call_graph_leads_from_a_task_to_those_that_await_it(loop: EventLoop) -> None:
    graphs = []

    async def inner() -> None:
        graphs.append(asyncio.capture_call_graph())

    async def outer() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(inner(), name="inner")

    loop.run_until_complete(loop.create_task(outer(), name="outer"))
    (graph,) = graphs
    assert graph.call_stack[0].frame.f_code.co_name == "inner"
    (awaiter,) = graph.awaited_by
    assert isinstance(awaiter.future, asyncio.Task)
    assert awaiter.future.get_name() == "outer"


def test_the_call_graph_of_a_task_that_waits_for_a_socket(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair

    async def receive() -> None:
        await loop.sock_recv(ours, 1)

    async def main() -> None:
        task = loop.create_task(receive())
        await asyncio.sleep(0)
        told = asyncio.format_call_graph(task)
        assert "async SocketCalls.sock_recv()" in told
        assert "receive()" in told
        theirs.send(b"x")
        await task

    loop.run_until_complete(main())


PROGRAM = """
import asyncio, socket

async def wait_for_bytes(sock):
    await asyncio.get_running_loop().sock_recv(sock, 1)

async def main():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    async with asyncio.TaskGroup() as group:
        group.create_task(wait_for_bytes(ours), name="receiver")
        group.create_task(asyncio.sleep(3600), name="sleeper")
        await asyncio.sleep(0)
        print("ready", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("backend", OURS)
@pytest.mark.parametrize("command", ["ps", "pstree"])
def test_the_tasks_of_a_running_program_are_listed(backend: str, command: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(PROGRAM))
    run = [sys.executable, "-m", "muxloop", "run", "--backend", backend, str(script)]
    with subprocess.Popen(run, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
            listed = subprocess.run(
                [sys.executable, "-m", "asyncio", command, str(program.pid)],
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            program.kill()
    if listed.returncode and "ermi" in listed.stdout + listed.stderr:
        pytest.skip(f"no permission to read another process: {listed.stderr.strip().splitlines()[-1]}")
    assert listed.returncode == 0, listed.stderr
    for name in ("receiver", "sleeper", "wait_for_bytes", "sock_recv", "main"):
        assert name in listed.stdout
