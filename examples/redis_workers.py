"""A master and its workers over a queue in Redis, whose blocking pop waits in threads.

    python -m muxloop run examples/redis_workers.py [--url redis://127.0.0.1:6379/0]

It prints:

    20 jobs, 3 workers
    the sum of the squares up to 20 is 2870
    nothing is left in Redis
"""

import argparse
import asyncio
import uuid

import redis

JOBS, WORKERS = 20, 3
GO_HOME = "go home"


async def pop(client: redis.Redis, key: str) -> str:
    """The next item of a list, waited for."""
    while True:
        # A call in a thread cannot be cancelled: with no time limit, Ctrl-C would wait for the next item.
        item = await asyncio.to_thread(client.blpop, [key], timeout=1)
        if item is not None:
            return item[1]


async def work(client: redis.Redis, jobs: str, results: str) -> None:
    """Square what comes until told to go home."""
    while (job := await pop(client, jobs)) != GO_HOME:
        await asyncio.to_thread(client.rpush, results, int(job) ** 2)


async def main(url: str) -> None:
    """Hand out the jobs and add up the results."""
    jobs, results = (f"muxloop-example:{kind}:{uuid.uuid4()}" for kind in ("jobs", "results"))
    # One client serves all threads: each call takes a connection of its own from the pool.
    with redis.Redis.from_url(url, decode_responses=True) as client:
        print(f"{JOBS} jobs, {WORKERS} workers")
        async with asyncio.TaskGroup() as workers:
            for _ in range(WORKERS):
                workers.create_task(work(client, jobs, results))
            await asyncio.to_thread(client.rpush, jobs, *range(1, JOBS + 1))
            total = sum([int(await pop(client, results)) for _ in range(JOBS)])
            await asyncio.to_thread(client.rpush, jobs, *[GO_HOME] * WORKERS)
        print(f"the sum of the squares up to {JOBS} is {total}")
        left = await asyncio.to_thread(client.exists, jobs, results)
        print("something is left in Redis" if left else "nothing is left in Redis")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A master and its workers over Redis, with threads.")
    parser.add_argument("--url", default="redis://127.0.0.1:6379/0")
    asyncio.run(main(parser.parse_args().url))
