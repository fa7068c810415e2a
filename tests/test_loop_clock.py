"""Time as an object: the virtual clock and its documented holes."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Iterator

import pytest
from loops_under_test import SELECTORS, opened
from muxloop import EventLoop, VirtualClock, new_event_loop


@pytest.fixture(params=SELECTORS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param, VirtualClock())


def test_a_day_passes_at_once(loop: EventLoop) -> None:
    started = time.monotonic()
    loop.run_until_complete(asyncio.sleep(86_400))
    assert loop.time() == 86_400
    assert time.monotonic() - started < 60


def test_the_clock_lands_on_every_deadline_exactly(loop: EventLoop) -> None:
    # 0.1 + (0.3 - 0.1) is not 0.3: a clock that added timeouts up would fall short.
    seen: list[float] = []
    for when in (0.1, 0.3, 0.30000000000000004, 1e9 + 0.7, 1e300):
        loop.call_at(when, lambda: seen.append(loop.time()))
    loop.call_at(1e301, loop.stop)
    loop.run_forever()
    assert seen == [0.1, 0.3, 0.30000000000000004, 1e9 + 0.7, 1e300]


def test_timeouts_are_exact(loop: EventLoop) -> None:
    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.sleep(11)

    loop.run_until_complete(main())
    assert loop.time() == 10


def test_an_executor_job_is_not_outrun_by_a_timeout(loop: EventLoop) -> None:
    release = threading.Event()

    async def main() -> str:
        asyncio.get_running_loop().call_later(0.01, release.set)
        async with asyncio.timeout(60):
            await asyncio.to_thread(release.wait)
        return "waited"

    assert loop.run_until_complete(main()) == "waited"
    assert loop.time() < 60
    loop.run_until_complete(loop.shutdown_default_executor())


def test_ready_files_come_before_the_jump(loop: EventLoop) -> None:
    async def main() -> bytes:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(await reader.readexactly(4))
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writer.write(b"ping")
            async with asyncio.timeout(3600):
                answered = await reader.readexactly(4)
            writer.close()
        return answered

    assert loop.run_until_complete(main()) == b"ping"


def test_a_thread_wakes_a_loop_without_timers(loop: EventLoop) -> None:
    threading.Thread(target=loop.call_soon_threadsafe, args=(loop.stop,)).start()
    loop.run_forever()
    assert loop.time() == 0


def test_advance_moves_time_forward_only() -> None:
    clock = VirtualClock(5)
    clock.advance(2.5)
    assert clock.time() == 7.5
    for seconds in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"seconds|back"):
            clock.advance(seconds)
    with pytest.raises(ValueError, match="finite"):
        VirtualClock(math.nan)


def test_a_clock_can_be_given_to_new_event_loop() -> None:
    loop = new_event_loop("select", clock=VirtualClock(42))
    assert loop.time() == 42
    loop.close()
