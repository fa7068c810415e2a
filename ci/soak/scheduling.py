"""Timers armed and cancelled by the thousand, callbacks in order, tasks that are cancelled."""

from __future__ import annotations

import asyncio
import random

from ledger import FaultError, Soak, chance


async def timers(soak: Soak, rng: random.Random) -> None:
    """Each that is not cancelled fires once, not early, and in the order of the deadlines."""
    loop = soak.loop
    fired: list[tuple[float, int]] = []
    start = loop.time()

    def fire(when: float, number: int) -> None:
        if loop.time() < when:
            soak.fault(f"timers: one fired {when - loop.time():.9f} s early")
        fired.append((when, number))

    handles: list[tuple[tuple[float, int], asyncio.TimerHandle]] = []
    for number in range(rng.randint(100, 2000)):
        when = start + rng.choice((0.0, 0.0001, 0.003, rng.random() * 0.05))
        handles.append(((when, number), loop.call_at(when, fire, when, number)))
    due = []
    for place, handle in handles:
        if chance(rng, 0.5):
            handle.cancel()
        else:
            due.append(place)
    far = [loop.call_later(3600 + rng.random(), soak.fault, "timers: a far one fired") for _ in range(500)]
    await asyncio.sleep(0.06)
    for timer in far:
        timer.cancel()
    while len(fired) < len(due):  # a busy machine: the last deadline has passed, and all are on their way
        await asyncio.sleep(0.001)
    if fired != sorted(due):
        raise FaultError(f"timers: {len(fired)} fired where {len(due)} were due, or in another order")
    soak.messages += len(fired)


async def callbacks(soak: Soak, rng: random.Random) -> None:
    """call_soon keeps the order, also of what is queued meanwhile."""
    seen: list[int] = []
    wanted = rng.randint(1, 2000)
    done = asyncio.Event()

    def step(number: int) -> None:
        seen.append(number)
        if len(seen) == wanted:
            done.set()

    for number in range(wanted):
        soak.loop.call_soon(step, number)
    await done.wait()
    if seen != list(range(wanted)):
        raise FaultError("callbacks: call_soon changed the order")
    soak.messages += wanted


async def cancelled_tasks(soak: Soak, rng: random.Random) -> None:
    """Tasks that wait in all ways; each ends, with its result or as cancelled."""
    never: asyncio.Future[None] = soak.loop.create_future()
    lock = asyncio.Lock()

    async def wait(manner: int, seconds: float) -> int:
        if manner == 0:
            await asyncio.sleep(seconds)
        elif manner == 1:
            try:
                async with asyncio.timeout(seconds):
                    await asyncio.shield(never)
            except TimeoutError:
                pass
        elif manner == 2:
            async with lock:
                await asyncio.sleep(0)
        else:
            await asyncio.wait_for(asyncio.sleep(0, None), 60)
        return manner

    manners = [rng.randrange(4) for _ in range(rng.randint(1, 200))]
    tasks = [asyncio.ensure_future(wait(manner, rng.random() * 0.01)) for manner in manners]
    cancelled = set()
    for place, task in enumerate(tasks):
        if chance(rng, 0.3) and task.cancel():
            cancelled.add(place)
        if chance(rng, 0.1):
            await asyncio.sleep(0)
    for place, result in enumerate(await asyncio.gather(*tasks, return_exceptions=True)):
        if isinstance(result, asyncio.CancelledError) and place in cancelled:
            continue
        if result != manners[place]:
            raise FaultError(f"cancelled tasks: one gave {result!r}")
    never.cancel()
    soak.messages += len(tasks)


async def queues(soak: Soak, rng: random.Random) -> None:
    """A bounded queue between two tasks."""
    queue: asyncio.Queue[int] = asyncio.Queue(rng.randint(1, 5))
    wanted = rng.randint(1, 200)

    async def produce() -> None:
        for number in range(wanted):
            await queue.put(number)

    producer = asyncio.ensure_future(produce())
    seen = [await queue.get() for _ in range(wanted)]
    await producer
    if seen != list(range(wanted)):
        raise FaultError("queues: the order changed")
    soak.messages += wanted
