"""A master and its workers over a queue in Redis, on redis.asyncio: no threads, and a pop can be cancelled.

    python -m muxloop run examples/redis_asyncio_workers.py [--url redis://127.0.0.1:6379/0]

It prints:

    20 jobs, 3 workers
    the sum of the squares up to 20 is 2870
    nothing is left in Redis
"""

import argparse
import asyncio
import uuid

import redis.asyncio as redis

JOBS, WORKERS = 20, 3


async def work(client: redis.Redis, jobs: str, results: str) -> None:
    """Square what comes until cancelled."""
    while True:
        _, job = await client.blpop([jobs], timeout=0)
        await client.rpush(results, int(job) ** 2)


async def main(url: str) -> None:
    """Hand out the jobs and add up the results."""
    jobs, results = (f"muxloop-example:{kind}:{uuid.uuid4()}" for kind in ("jobs", "results"))
    async with redis.Redis.from_url(url, decode_responses=True) as client:
        print(f"{JOBS} jobs, {WORKERS} workers")
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(work(client, jobs, results)) for _ in range(WORKERS)]
            await client.rpush(jobs, *range(1, JOBS + 1))
            total = sum([int((await client.blpop([results], timeout=0))[1]) for _ in range(JOBS)])
            # Every result has come, so all of them wait for a job; a group does not mind cancelled members.
            for worker in workers:
                worker.cancel()
        print(f"the sum of the squares up to {JOBS} is {total}")
        left = await client.exists(jobs, results)
        print("something is left in Redis" if left else "nothing is left in Redis")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A master and its workers over Redis, without threads.")
    parser.add_argument("--url", default="redis://127.0.0.1:6379/0")
    asyncio.run(main(parser.parse_args().url))
