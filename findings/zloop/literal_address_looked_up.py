"""zloop: a literal address is given to the resolver

Rule:     DNS-01
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     none; CPython and uvloop spare themselves the thread for what inet_pton() reads
Expected: no job for the executor
Seen:     one
"""

import asyncio
import concurrent.futures
import socket

import zloop

loop = zloop.new_event_loop()


class Pool(concurrent.futures.ThreadPoolExecutor):
    """Counts its jobs."""

    jobs = 0

    def submit(self, *arguments):
        self.jobs += 1
        return super().submit(*arguments)


async def connect(pool):
    with socket.create_server(("127.0.0.1", 0)) as server:
        loop.set_default_executor(pool)
        transport, _ = await loop.create_connection(asyncio.Protocol, *server.getsockname())
        transport.abort()


pool = Pool(1)
loop.run_until_complete(connect(pool))
print("jobs:", pool.jobs)
raise SystemExit(pool.jobs > 0)
