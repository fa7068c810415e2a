"""Callbacks from other threads, jobs in executors, signals."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

from ledger import FaultError, Soak


async def threadsafe(soak: Soak, rng: random.Random) -> None:
    """Threads queue numbers, some after a pause in which the loop falls asleep; each one's stay in order."""
    seen: list[list[int]] = [[] for _ in range(rng.randint(1, 4))]
    wanted = rng.randint(1, 300)

    def send(place: int, seed: float) -> None:
        own = random.Random(seed)
        for number in range(wanted):
            if own.random() < 0.1:
                time.sleep(own.random() * 0.001)
            soak.loop.call_soon_threadsafe(seen[place].append, number)

    with ThreadPoolExecutor(len(seen)) as pool:
        jobs = [soak.loop.run_in_executor(pool, send, place, rng.random()) for place in range(len(seen))]
        await asyncio.gather(*jobs)
        await asyncio.sleep(0)  # for jobs that were done at once gather() does not wait, and leaves no turn
    if any(numbers != list(range(wanted)) for numbers in seen):
        raise FaultError(
            f"threadsafe: {[len(numbers) for numbers in seen]} of {wanted} came, or out of order"
        )
    soak.messages += wanted * len(seen)


async def lone_wakeups(soak: Soak, rng: random.Random) -> None:
    """A thread that waits for each of its callbacks to run: one that is lost stops all."""
    rounds = rng.randint(1, 100)

    async def answer(number: int) -> int:
        return number

    def ask() -> list[int]:
        return [
            asyncio.run_coroutine_threadsafe(answer(number), soak.loop).result(soak.patience_s)
            for number in range(rounds)
        ]

    if await asyncio.to_thread(ask) != list(range(rounds)):
        raise FaultError("lone wake-ups: another answer came")
    soak.messages += rounds


async def executors(soak: Soak, rng: random.Random) -> None:
    """Jobs of the default executor and of one that comes and goes; some fail."""

    def job(number: int) -> int:
        time.sleep(number % 3 * 0.0005)
        if number % 5 == 0:
            raise LookupError(number)
        return number

    wanted = rng.randint(1, 40)
    with ThreadPoolExecutor(2) as pool:
        jobs = [soak.loop.run_in_executor(rng.choice((None, pool)), job, number) for number in range(wanted)]
        results = await asyncio.gather(*jobs, return_exceptions=True)
    for number, result in enumerate(results):
        if result != number and not (isinstance(result, LookupError) and result.args == (number,)):
            raise FaultError(f"executors: job {number} gave {result!r}")
    soak.messages += wanted


async def signals(soak: Soak, rng: random.Random) -> None:
    """Signals the process sends itself, from this thread and others, each awaited before the next."""
    async with soak.lone:
        arrived: asyncio.Queue[int] = asyncio.Queue()
        numbers = (signal.SIGUSR1, signal.SIGUSR2)
        for number in numbers:
            soak.loop.add_signal_handler(number, arrived.put_nowait, number)
        try:
            for _ in range(rng.randint(1, 20)):
                number = rng.choice(numbers)
                if rng.random() < 0.5:
                    os.kill(os.getpid(), number)
                else:
                    await asyncio.to_thread(os.kill, os.getpid(), number)
                if await arrived.get() != number:
                    raise FaultError("signals: another one came")
                soak.messages += 1
        finally:
            for number in numbers:
                soak.loop.remove_signal_handler(number)
