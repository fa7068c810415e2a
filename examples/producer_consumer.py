"""Producers and consumers: a bounded queue, one by priority, and one that is shut down.

    python -m muxloop run examples/producer_consumer.py

It prints:

    bounded queue: never more than 2 of 10 inside; consumed 0..9
    by priority: fire, flood, paperwork
    shut down: consumed a, b, c
"""

import asyncio
import sys


async def bounded() -> None:
    """A full queue makes its producer wait; join() waits until all is done with."""
    queue: asyncio.Queue[int] = asyncio.Queue(maxsize=2)
    sizes, consumed = set(), []

    async def produce() -> None:
        for number in range(10):
            await queue.put(number)
            sizes.add(queue.qsize())

    async def consume() -> None:
        while True:
            number = await queue.get()
            consumed.append(number)
            queue.task_done()

    async with asyncio.TaskGroup() as group:
        consumers = [group.create_task(consume()) for _ in range(3)]
        await group.create_task(produce())
        await queue.join()
        for consumer in consumers:
            consumer.cancel()
    whole = "0..9" if sorted(consumed) == list(range(10)) else f"only {consumed}"
    print(f"bounded queue: never more than {max(sizes)} of 10 inside; consumed {whole}")


async def by_priority() -> None:
    """The smallest comes first; a number in front decides what is small."""
    queue: asyncio.PriorityQueue[tuple[int, str]] = asyncio.PriorityQueue()
    for priority, matter in [(9, "paperwork"), (1, "fire"), (2, "flood")]:
        queue.put_nowait((priority, matter))
    print("by priority:", ", ".join([(await queue.get())[1] for _ in range(3)]))


async def shut_down() -> None:
    """The end of the work is told without an item that means it."""
    queue: asyncio.Queue[str] = asyncio.Queue()
    consumed = []

    async def consume() -> None:
        if sys.version_info >= (3, 13):
            try:
                while True:
                    consumed.append(await queue.get())
            except asyncio.QueueShutDown:  # raised once the queue is empty
                return
        while (item := await queue.get()) != "the end":
            consumed.append(item)

    async with asyncio.TaskGroup() as group:
        group.create_task(consume())
        for item in "abc":
            await queue.put(item)
        if sys.version_info >= (3, 13):
            queue.shutdown()
        else:
            await queue.put("the end")
    print("shut down: consumed", ", ".join(consumed))


async def main() -> None:
    """Show them all."""
    await bounded()
    await by_priority()
    await shut_down()


if __name__ == "__main__":
    asyncio.run(main())
