"""A muxloop selector under CPython's own asyncio loop: the interface is a superset, not a relative."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest
from echo_streams import ask_an_echo
from numbered_sockets import close_number, give_number
from selectors_under_test import every_backend

pytestmark = every_backend


@pytest.fixture
def runner(backend):
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(backend())) as runner:
        yield runner


def test_a_reused_number_is_served_though_its_former_file_was_never_removed(runner):
    async def main() -> None:
        loop = asyncio.get_running_loop()
        served = loop.create_future()
        former, former_peer = socket.socketpair()
        new, peer = socket.socketpair()
        fd = former.fileno()
        loop.add_reader(fd, lambda: None)
        former.close()
        give_number(new.fileno(), fd)
        loop.add_reader(fd, served.set_result, True)
        peer.send(b"x")
        await asyncio.wait_for(served, 10)
        loop.remove_reader(fd)
        close_number(fd)
        for end in (former_peer, new, peer):
            end.close()

    runner.run(main())


def test_streams_echo(runner):
    messages = [bytes([number]) * 200_000 for number in range(10)]
    assert runner.run(ask_an_echo(messages)) == messages


def test_callbacks_are_added_replaced_and_removed(runner):
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            calls: asyncio.Queue[str] = asyncio.Queue()
            loop.add_reader(ours, calls.put_nowait, "never")
            loop.add_reader(ours, calls.put_nowait, "reader")
            loop.add_writer(ours, calls.put_nowait, "writer")
            assert await calls.get() == "writer"
            assert loop.remove_writer(ours)
            assert not loop.remove_writer(ours)
            theirs.send(b"x")
            while (seen := await calls.get()) == "writer":
                pass
            assert seen == "reader"
            assert loop.remove_reader(ours)

    runner.run(main())


def test_a_subprocess_and_a_thread(runner):
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
        assert await process.communicate(b"through a pipe") == (b"through a pipe", None)
        assert await asyncio.to_thread(os.getpid) == os.getpid()

    if os.name != "posix":
        pytest.skip("needs cat and pipes")
    runner.run(main())


def test_closing_the_loop_closes_the_selector(backend):
    selector = backend()
    loop = asyncio.SelectorEventLoop(selector)
    loop.run_until_complete(asyncio.sleep(0.001))
    assert not selector.closed
    loop.close()
    assert selector.closed
