"""trio_asyncio: cancelling a future of run_in_executor() does not keep a queued job from running

Rule:     CAN-15
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.run_in_executor; concurrent.futures.Future.cancel: what is queued is not run
Expected: the job that waits for a thread is dropped
Seen:     it runs when the thread is free
"""

import asyncio
import threading

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
ran = []
release = threading.Event()
loop.set_default_executor(trio_asyncio.TrioExecutor(max_workers=1))


async def main():
    first = loop.run_in_executor(None, release.wait)
    await asyncio.sleep(0.05)
    second = loop.run_in_executor(None, ran.append, 1)
    await asyncio.sleep(0.05)
    second.cancel()
    release.set()
    await first
    await asyncio.sleep(0.1)


loop.run_until_complete(main())
print("ran:", bool(ran))
raise SystemExit(bool(ran))
