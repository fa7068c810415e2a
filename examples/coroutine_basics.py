"""The basics of coroutines: awaiting, tasks, callbacks, gather, wait, as_completed, a time limit, cancelling.

    python -m muxloop run examples/coroutine_basics.py

It prints:

    nested: 6
    tasks: begun, begun, tea, coffee
    callbacks: soon, soon after, done with tea
    gather: ['tea', 'coffee', 'cocoa']
    gather with a failure: ['tea', ValueError('no milk')]
    wait for the first: tea; left: 2
    as completed: tea, coffee, cocoa
    timeout: too late
    cancel: cleaned up, cancelled
"""

import asyncio


async def brew(drink: str, steps: int) -> str:
    """Make a drink in so many steps; each lets the others go on."""
    for _ in range(steps):
        await asyncio.sleep(0)
    return drink


async def spoil() -> str:
    """Fail."""
    raise ValueError("no milk")


async def nested() -> None:
    """A coroutine that awaits another runs it at once and to its end; no task is made."""

    async def total(depth: int) -> int:
        return depth + await total(depth - 1) if depth else 0

    print("nested:", await total(3))


async def tasks() -> None:
    """Tasks run beside their maker, from its next await on."""
    seen = []

    async def brewed(drink: str, steps: int) -> None:
        seen.append("begun")
        seen.append(await brew(drink, steps))

    coffee = asyncio.create_task(brewed("coffee", 2))
    tea = asyncio.create_task(brewed("tea", 1))
    await coffee
    await tea
    print("tasks:", ", ".join(seen))


async def callbacks() -> None:
    """What is no coroutine is called by the loop: soon, in its order, or when a future is done."""
    loop = asyncio.get_running_loop()
    seen: list[str] = []
    told = asyncio.Event()

    def done(task: asyncio.Task[str]) -> None:
        seen.append(f"done with {task.result()}")
        told.set()

    loop.call_soon(seen.append, "soon")
    loop.call_soon(seen.append, "soon after")
    asyncio.create_task(brew("tea", 1)).add_done_callback(done)
    await told.wait()
    print("callbacks:", ", ".join(seen))


async def gather() -> None:
    """Results come in the order of the arguments, whoever is the first to finish."""
    print("gather:", await asyncio.gather(brew("tea", 3), brew("coffee", 1), brew("cocoa", 2)))
    outcomes = await asyncio.gather(brew("tea", 1), spoil(), return_exceptions=True)
    print("gather with a failure:", outcomes)


async def wait() -> None:
    """Who is done and who is not; nobody is cancelled unless you do it."""
    ordered = [
        asyncio.create_task(brew(drink, steps)) for drink, steps in [("tea", 1), ("rum", 99), ("gin", 99)]
    ]
    done, pending = await asyncio.wait(ordered, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.wait(pending)
    print(f"wait for the first: {done.pop().result()}; left: {len(pending)}")


async def as_completed() -> None:
    """Results come in the order of finishing."""
    orders = [brew("cocoa", 9), brew("coffee", 5), brew("tea", 1)]
    print("as completed:", ", ".join([await order for order in asyncio.as_completed(orders)]))


async def timeout() -> None:
    """A time limit cancels what is awaited in its block."""
    try:
        async with asyncio.timeout(0.01):
            await asyncio.Event().wait()
    except TimeoutError:
        print("timeout: too late")


async def cancel() -> None:
    """Cancelling raises CancelledError where the task waits, so that its clean-up runs."""
    waiting = asyncio.Event()
    seen = []

    async def for_ever() -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            seen.append("cleaned up")

    task = asyncio.create_task(for_ever())
    await waiting.wait()
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        seen.append("cancelled")
    print("cancel:", ", ".join(seen))


async def main() -> None:
    """Show them all."""
    for show in (nested, tasks, callbacks, gather, wait, as_completed, timeout, cancel):
        await show()


if __name__ == "__main__":
    asyncio.run(main())
