"""What would block the loop, in threads; what would keep it busy, in processes.

    python -m muxloop run examples/executors.py

It prints:

    to_thread: for alice, in another thread
    thread pool: 3 waited for one another
    thread pool: FileNotFoundError comes back
    process pool: [168, 303, 430] primes, in other processes
    process pool: ValueError comes back
"""

import asyncio
import contextvars
import math
import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

user = contextvars.ContextVar("user", default="nobody")


def who_and_where() -> tuple[str, int]:
    """Whom we work for, and the thread we work in."""
    return user.get(), threading.get_ident()


def primes(limit: int) -> tuple[int, int]:
    """How many primes there are below a limit, and the process that counted them."""
    if limit < 0:
        raise ValueError(f"limit is {limit}; give a number from 0 on")
    count = sum(all(n % d for d in range(2, math.isqrt(n) + 1)) for n in range(2, limit))
    return count, os.getpid()


async def in_a_thread() -> None:
    """to_thread takes the context along, run_in_executor does not."""
    user.set("alice")
    name, thread = await asyncio.to_thread(who_and_where)
    print(f"to_thread: for {name}, in", "this" if thread == threading.get_ident() else "another", "thread")


async def in_a_thread_pool() -> None:
    """A pool with a size of your own; here each thread waits until all three are there."""
    loop = asyncio.get_running_loop()
    meeting = threading.Barrier(3)
    with ThreadPoolExecutor(max_workers=3) as pool:
        met = await asyncio.gather(*(loop.run_in_executor(pool, meeting.wait) for _ in range(3)))
        print(f"thread pool: {len(set(met))} waited for one another")
        try:
            await loop.run_in_executor(pool, os.listdir, os.path.join(os.path.dirname(__file__), "nowhere"))
        except FileNotFoundError as error:
            print(f"thread pool: {type(error).__name__} comes back")


async def in_a_process_pool() -> None:
    """Arguments and results are pickled; the loop goes on while the processes compute."""
    loop = asyncio.get_running_loop()
    # "spawn" is the way that is safe in a process with threads, and the only one that exists everywhere.
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        counted = await asyncio.gather(*(loop.run_in_executor(pool, primes, n) for n in (1000, 2000, 3000)))
        where = "this process" if os.getpid() in {pid for _, pid in counted} else "other processes"
        print(f"process pool: {[count for count, _ in counted]} primes, in {where}")
        try:
            await loop.run_in_executor(pool, primes, -1)
        except ValueError as error:
            print(f"process pool: {type(error).__name__} comes back")


async def main() -> None:
    """Show them all."""
    await in_a_thread()
    await in_a_thread_pool()
    await in_a_process_pool()


if __name__ == "__main__":
    asyncio.run(main())
