"""asyncio.wait_for: a cancellation that comes as the awaited future completes is dropped

Rule:     CAN-09, CAN-16
Versions: CPython 3.11; gh-86296 (bpo-42130), mended in 3.12
Docs:     Task.cancel: CancelledError is thrown into the coroutine at the next await
Expected: CancelledError leaves wait_for()
Seen:     wait_for() returns the result, and the task goes on as if nobody had cancelled it
"""

import asyncio


async def main():
    future = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(asyncio.wait_for(future, 10))
    await asyncio.sleep(0)
    future.set_result("result")
    task.cancel()
    try:
        return await task
    except asyncio.CancelledError:
        return "cancelled"


said = asyncio.run(main())
print("wait_for():", said)
raise SystemExit(said != "cancelled")
