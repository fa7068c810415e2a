"""MUXLOOP_DEBUG_SELECTOR=1: how it is switched on, and that sound programs hear nothing of it."""

from __future__ import annotations

import asyncio
import logging
import os
import selectors
import socket
import subprocess
import sys
from pathlib import Path

import muxloop
import pytest
from muxloop.cli import main
from muxloop.errors import UsageError
from muxloop.selectors_impl import ValidatingSelector, backends, open_selector
from muxloop.selectors_impl.select import SelectSelector

OURS = [backend.name for backend in backends() if backend.available and backend.source == "built in"]
POSIX = pytest.mark.skipif(os.name != "posix", reason="sockets are no file descriptors there")

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture(autouse=True)
def switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", "1")


class TestLooksLikeTheOther:
    def test_name_and_members_are_the_selector_s(self) -> None:
        inner = SelectSelector()
        with ValidatingSelector(inner) as selector:
            assert selector.name == "select"
            assert repr(selector) == f"<ValidatingSelector around {inner!r}>"
            assert selector.resolution == inner.resolution
            assert selector.take_dropped() == []
            assert selector.closed is False
        assert inner.closed
        with open_selector("selectors:SelectSelector") as selector:
            assert selector.name == "SelectSelector"
            assert not hasattr(selector, "take_dropped")
            assert not hasattr(selector, "fileno")

    def test_a_loop_shows_the_selector_s_name(self) -> None:
        loop = muxloop.new_event_loop("select")
        assert "selector=select" in repr(loop)
        loop.close()


class TestSwitch:
    @pytest.mark.parametrize(("value", "on"), [("1", True), ("0", False), ("", False)])
    def test_values(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        pair: Pair,
        value: str,
        on: bool,
    ) -> None:
        monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", value)
        for make in (
            muxloop.EventLoop,
            muxloop.new_event_loop,
            lambda: muxloop.EventLoop(selectors.SelectSelector()),
            lambda: muxloop.EventLoop(open_selector("select")),
            lambda: asyncio.SelectorEventLoop(open_selector("select")),
        ):
            loop = make()
            loop.add_reader(pair[0], print)
            loop.close()
            assert [record.name for record in caplog.records] == ["muxloop.selector"] * on
            caplog.clear()

    @pytest.mark.parametrize("value", ["yes", "2", " 1", "true"])
    def test_another_value_is_one_clear_error(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: str
    ) -> None:
        monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", value)
        message = f"MUXLOOP_DEBUG_SELECTOR={value!r}: write 1 to switch it on, 0 or nothing to leave it off"
        for call in (open_selector, muxloop.new_event_loop, muxloop.EventLoop):
            with pytest.raises(UsageError) as caught:
                call()
            assert str(caught.value) == message
        for command in (["backends"], ["run", __file__]):
            assert main(command) == 2
            assert capsys.readouterr().err == f"muxloop: {message}\n"

    def test_the_list_says_that_it_is_on(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["backends"]) == 0
        assert "MUXLOOP_DEBUG_SELECTOR is on" in capsys.readouterr().out
        monkeypatch.delenv("MUXLOOP_DEBUG_SELECTOR")
        assert main(["backends"]) == 0
        assert "MUXLOOP_DEBUG_SELECTOR" not in capsys.readouterr().out


PROGRAM = """
import asyncio, socket

async def main():
    loop = asyncio.get_running_loop()
    ours, theirs = socket.socketpair()
    loop.add_reader(ours, print, "readable")
    ours.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0.01)

asyncio.run(main())
"""


@POSIX
def test_a_program_is_told_its_own_line(tmp_path: Path) -> None:
    script = tmp_path / "program.py"
    script.write_text(PROGRAM)
    command = [sys.executable, "-m", "muxloop", "run", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    line = done.stderr.splitlines()[-1]  # PyPy may complain of the processor before
    assert f"was closed while it was registered at {script}:7 in main for reading" in line
    assert "reader=<Handle print(" in line


@pytest.mark.parametrize("backend", OURS)
def test_a_program_that_closes_what_it_waited_for_is_clean(
    backend: str, pair: Pair, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = pair

        async def serve() -> bytes:
            received = b""
            while len(received) < 3:
                received += await loop.sock_recv(ours, 1)
            ours.close()
            return received

        serving = asyncio.create_task(serve())
        for _ in range(3):
            await loop.sock_sendall(theirs, b"x")
            await asyncio.sleep(0.001)
        assert await serving == b"xxx"
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            assert await reader.read() == b""
            writer.close()
            await writer.wait_closed()
        assert await asyncio.to_thread(os.getpid) == os.getpid()

    muxloop.run(main(), backend=backend)
    assert caplog.records == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("backend", OURS)
def test_a_child_with_a_loop_of_its_parent_is_clean(backend: str, capfd: pytest.CaptureFixture[str]) -> None:
    loop = muxloop.new_event_loop(backend)
    child = os.fork()
    if not child:
        logging.getLogger("muxloop.selector").handlers = [logging.StreamHandler()]
        loop.call_later(0.01, loop.stop)
        loop.run_forever()
        loop.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    loop.close()
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_closes_a_loop_of_its_parent_is_clean(capfd: pytest.CaptureFixture[str]) -> None:
    loop = muxloop.EventLoop(selectors.DefaultSelector())  # has an object in the kernel where there is one
    loop.run_until_complete(asyncio.sleep(0))
    child = os.fork()
    if not child:
        logging.getLogger("muxloop.selector").handlers = [logging.StreamHandler()]
        loop.close()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    loop.close()
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not hasattr(selectors, "EpollSelector"), reason="needs epoll")
def test_the_loop_can_still_put_another_in_place_of_a_selector_that_spins(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An entry of a duplicated file, closed before it was removed, stays in CPython's epoll set for ever."""
    waits = []
    wait = selectors.EpollSelector.select
    monkeypatch.setattr(
        selectors.EpollSelector,
        "select",
        lambda self, timeout=None: waits.append(timeout) or wait(self, timeout),
    )

    async def main() -> None:
        ours, theirs = socket.socketpair()
        with ours.dup(), theirs:
            loop = asyncio.get_running_loop()
            loop.add_reader(ours, print)
            ours.close()
            theirs.send(b"x")
            while len(waits) < 200:  # it spins for the first hundred
                await asyncio.sleep(0.001)
            before = len(waits)
            await asyncio.sleep(0.05)
            assert len(waits) - before < 20
            readable = loop.create_future()
            loop.add_reader(pair[0], readable.set_result, None)
            pair[1].send(b"x")
            await readable
            loop.remove_reader(pair[0])

    muxloop.run(main(), backend="selectors:EpollSelector")
    assert len(waits) > 50  # it did spin
