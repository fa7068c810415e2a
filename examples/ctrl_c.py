"""Ctrl-C cancels the main task; everybody cleans up, and only then the program ends.

    python -m muxloop run examples/ctrl_c.py

It prints, when you press Ctrl-C after the first line, the workers in any order:

    ready: press Ctrl-C
    worker 1 puts its tools away
    worker 2 puts its tools away
    worker 3 puts its tools away
    the workshop is closed
    interrupted
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def workshop() -> AsyncIterator[None]:
    """Something that wants closing."""
    try:
        yield
    finally:
        await asyncio.sleep(0)  # clean-up may await
        print("the workshop is closed")


async def work(number: int, at_work: asyncio.Barrier) -> None:
    """Work until told to stop."""
    await at_work.wait()
    try:
        await asyncio.Event().wait()
    finally:
        print(f"worker {number} puts its tools away")


async def main() -> None:
    """Let three work for ever."""
    # A task that is cancelled before its first step has nothing to clean up: so all are waited for.
    at_work = asyncio.Barrier(4)
    async with workshop(), asyncio.TaskGroup() as workers:
        for number in (1, 2, 3):
            workers.create_task(work(number, at_work))
        await at_work.wait()
        print("ready: press Ctrl-C", flush=True)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        print("interrupted")
