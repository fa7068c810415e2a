"""Other people's selectors under our loop: one body for all, with and without a validator around them."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import muxloop
import pytest
from echo_streams import ask_an_echo
from muxloop import EventLoop
from muxloop.cli import main

STANDARD = [
    f"selectors:{name}"
    for name in ("EpollSelector", "KqueueSelector", "PollSelector", "SelectSelector")
    if hasattr(selectors, name)
]
GEVENT = "gevent.selectors:GeventSelector"

needs_gevent = pytest.mark.skipif(find_spec("gevent") is None, reason="gevent is not installed")


@pytest.fixture(params=[*STANDARD, pytest.param(GEVENT, marks=needs_gevent)])
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    yield request.param
    if request.param == GEVENT:
        destroy_hub()


@pytest.fixture(params=["plain", "validated"])
def loop(
    request: pytest.FixtureRequest,
    backend: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[EventLoop]:
    """A loop on the foreign selector; the validator must find no fault with either of the two."""
    monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", "1" if request.param == "validated" else "0")
    loop = muxloop.new_event_loop(backend)
    yield loop
    loop.close()
    assert [record.getMessage() for record in caplog.records] == []


def destroy_hub() -> None:
    """Give back the descriptors and signal handlers of gevent's own loop."""
    import gevent

    gevent.get_hub().destroy(destroy_loop=True)


def test_streams_echo(loop: EventLoop) -> None:
    questions = [bytes([number]) * 300_000 for number in range(10)]
    assert loop.run_until_complete(ask_an_echo(questions)) == questions


def test_timers_fire_in_order_and_never_early(loop: EventLoop) -> None:
    async def main() -> None:
        start = loop.time()
        fired: list[tuple[float, float]] = []
        done = loop.create_future()
        for delay in (0.02, 0.001, 0.0, 0.005):
            loop.call_at(start + delay, lambda delay=delay: fired.append((delay, loop.time() - start)))
        loop.call_at(start + 0.01, print).cancel()
        loop.call_at(start + 0.03, done.set_result, None)
        await done
        assert [delay for delay, _ in fired] == [0.0, 0.001, 0.005, 0.02]
        assert all(elapsed >= delay for delay, elapsed in fired)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await loop.create_future()

    loop.run_until_complete(main())


def test_readers_and_writers_are_called_replaced_and_removed(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    async def main() -> None:
        ours, theirs = pair
        calls: asyncio.Queue[str] = asyncio.Queue()
        loop.add_reader(ours, calls.put_nowait, "never")
        loop.add_reader(ours, calls.put_nowait, "reader")
        loop.add_writer(ours, calls.put_nowait, "writer")
        assert await calls.get() == "writer"
        assert loop.remove_writer(ours)
        while not calls.empty():
            calls.get_nowait()
        theirs.send(b"x")
        assert [await calls.get(), await calls.get()] == ["reader", "reader"]  # a level, not an edge
        assert loop.remove_reader(ours)
        assert not loop.remove_reader(ours)

    loop.run_until_complete(main())


def test_threads_wake_a_loop_that_waits(loop: EventLoop) -> None:
    async def main() -> None:
        woken = asyncio.Event()
        thread = threading.Thread(target=loop.call_soon_threadsafe, args=(woken.set,))
        loop.call_soon(thread.start)
        await woken.wait()
        thread.join()
        assert await asyncio.gather(*(asyncio.to_thread(abs, -number) for number in range(20))) == [
            *range(20)
        ]
        await loop.shutdown_default_executor()

    loop.run_until_complete(main())


@pytest.mark.skipif(sys.platform == "win32", reason="no add_signal_handler there")
def test_a_signal_wakes_a_loop_that_waits(loop: EventLoop) -> None:
    async def main() -> None:
        arrived = asyncio.Event()
        loop.add_signal_handler(signal.SIGUSR1, arrived.set)
        sender = threading.Timer(0.01, os.kill, (os.getpid(), signal.SIGUSR1))
        sender.start()
        await arrived.wait()
        sender.join()
        assert loop.remove_signal_handler(signal.SIGUSR1)

    loop.run_until_complete(main())


def test_closing_the_loop_closes_the_selector_and_leaves_files_open(
    loop: EventLoop, pair: tuple[socket.socket, socket.socket]
) -> None:
    ours, theirs = pair
    loop.add_reader(ours, print)
    loop.remove_reader(ours)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    loop.close()
    assert loop.is_closed()
    theirs.send(b"x")
    assert ours.recv(1) == b"x"
    with pytest.raises(RuntimeError, match="closed"):
        loop.run_forever()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_no_descriptor_is_left(backend: str) -> None:
    def descriptors() -> int:
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    muxloop.run(asyncio.sleep(0.001), backend=backend)  # gevent opens its hub
    before = descriptors()
    for _ in range(5):
        muxloop.run(asyncio.sleep(0.001), backend=backend)
    assert descriptors() == before


def test_an_unchanged_program_runs_on_it(backend: str, tmp_path: Path) -> None:
    script = tmp_path / "app.py"
    script.write_text(
        "import asyncio\n"
        "async def main():\n"
        "    await asyncio.sleep(0.01)\n"
        "    print(asyncio.get_running_loop())\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-m", "muxloop", "run", str(script)]
    environment = {**os.environ, "MUXLOOP_BACKEND": backend}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert f"selector={backend.partition(':')[2]}>" in done.stdout


def test_it_is_shown_as_the_default(
    backend: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MUXLOOP_BACKEND", backend)
    assert main(["backends"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith(backend)]
    assert line.split() == [backend, "available", "from", backend.partition(":")[0], "(default)"]


def test_the_rules_hold_on_it(backend: str) -> None:
    """A few; the others are the business of `muxloop conform muxloop@…`."""
    command = [sys.executable, "-m", "muxloop", "conform", f"muxloop@{backend}", "--profile", "quick"]
    rules = "TMR-01,IO-01,THR-01"
    done = subprocess.run([*command, "--rules", rules], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "holds every rule" in " ".join(done.stdout.split())


@needs_gevent
class TestGreenlets:
    """GeventSelector waits by running gevent's hub: greenlets live on while the loop waits."""

    @pytest.fixture(autouse=True)
    def hub(self) -> Iterator[None]:
        yield
        destroy_hub()

    def test_a_greenlet_runs_while_the_loop_waits_and_wakes_it(self) -> None:
        import gevent

        async def main() -> list[int]:
            loop = asyncio.get_running_loop()
            done = loop.create_future()

            def count() -> None:
                steps = []
                for step in range(3):
                    gevent.sleep(0.001)
                    steps.append(step)
                loop.call_soon_threadsafe(done.set_result, steps)

            gevent.spawn(count)
            return await done

        assert muxloop.run(main(), backend=GEVENT) == [0, 1, 2]

    def test_with_another_selector_it_does_not(self) -> None:
        import gevent

        async def main() -> bool:
            greenlet = gevent.spawn(abs, -1)
            await asyncio.sleep(0.01)
            return greenlet.dead

        assert muxloop.run(main(), backend="select") is False
        assert muxloop.run(main(), backend=GEVENT) is True

    def test_what_a_greenlet_registers_during_a_wait_counts_and_is_not_blamed(
        self,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
        pair: tuple[socket.socket, socket.socket],
    ) -> None:
        import gevent

        monkeypatch.setenv("MUXLOOP_DEBUG_SELECTOR", "1")
        caplog.set_level(logging.WARNING)
        ours, theirs = pair

        async def main() -> str:
            loop = asyncio.get_running_loop()
            readable = loop.create_future()

            def arrange() -> None:
                loop.add_reader(ours, lambda: (loop.remove_reader(ours), readable.set_result("read")))
                theirs.send(b"x")
                loop.call_soon_threadsafe(print)

            gevent.spawn(arrange)
            return await readable

        assert muxloop.run(main(), backend=GEVENT) == "read"
        assert caplog.records == []
