"""The workloads of the micro benchmark. Each is a coroutine that returns how many operations it did."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine

Loop = asyncio.AbstractEventLoop
Workload = Callable[[Loop, int], Coroutine[None, None, int]]

_AT_ONCE = 1000


async def call_soon_chain(loop: Loop, count: int) -> int:
    """Callbacks of which each queues the next: a turn of the loop for each."""
    done = loop.create_future()
    left = count

    def step() -> None:
        nonlocal left
        left -= 1
        if left:
            loop.call_soon(step)
        else:
            done.set_result(None)

    loop.call_soon(step)
    await done
    return count


async def call_soon_batch(loop: Loop, count: int) -> int:
    """Callbacks queued a thousand at a time."""
    for start in range(0, count, _AT_ONCE):
        for _ in range(start, min(start + _AT_ONCE, count)):
            loop.call_soon(int)
        await asyncio.sleep(0)
    return count


async def timers_cancelled(loop: Loop, count: int) -> int:
    """Timers far away, cancelled before they are due: a time limit for each request."""
    for start in range(0, count, _AT_ONCE):
        for _ in range(start, min(start + _AT_ONCE, count)):
            loop.call_later(60, int).cancel()
        await asyncio.sleep(0)
    return count


async def timers_fired(loop: Loop, count: int) -> int:
    """Timers due in scattered order over 20 ms, all of which fire."""
    done = loop.create_future()
    left = count

    def fire() -> None:
        nonlocal left
        left -= 1
        if not left:
            done.set_result(None)

    for number in range(count):
        loop.call_later(number * 7919 % 2000 / 100_000, fire)
    await done
    return count


async def tasks(loop: Loop, count: int) -> int:  # noqa: ARG001 - all workloads are called alike
    """Tasks that wait for one turn of the loop, gathered a hundred at a time."""
    for _ in range(0, count, 100):
        await asyncio.gather(*[asyncio.sleep(0) for _ in range(100)])
    return -(-count // 100) * 100


async def switches(loop: Loop, count: int) -> int:  # noqa: ARG001
    """One task that yields to the loop again and again."""
    for _ in range(count):
        await asyncio.sleep(0)
    return count


async def threadsafe(loop: Loop, count: int) -> int:
    """Another thread wakes the loop and waits for its answer, a tenth as often."""
    count = max(count // 10, 1)
    answered = threading.Event()

    def ask() -> None:
        for _ in range(count):
            loop.call_soon_threadsafe(answered.set)
            answered.wait()
            answered.clear()

    await loop.run_in_executor(None, ask)
    return count


async def readers(loop: Loop, count: int) -> int:
    """Bytes thrown to and fro within 50 pairs of sockets by callbacks of add_reader."""
    pairs = [socket.socketpair() for _ in range(50)]
    done = loop.create_future()
    left = count

    def catch(sock: socket.socket) -> None:
        nonlocal left
        sock.recv(16)
        left -= 1
        if left > 0:
            sock.send(b"x")
        elif not done.done():
            done.set_result(None)

    for pair in pairs:
        for sock in pair:
            sock.setblocking(False)
            loop.add_reader(sock, catch, sock)
        pair[0].send(b"x")
    await done
    for sock in (sock for pair in pairs for sock in pair):
        loop.remove_reader(sock)
        sock.close()
    return count


WORKLOADS: dict[str, Workload] = {
    work.__name__: work
    for work in (
        call_soon_chain,
        call_soon_batch,
        timers_cancelled,
        timers_fired,
        tasks,
        switches,
        threadsafe,
        readers,
    )
}
