"""asyncio.timeout: one of 0 or less takes a cancellation that was asked for earlier for its own

Rule:     CAN-17
Versions: CPython 3.11 to 3.15; gh-134471
Docs:     asyncio.timeout turns its own cancellation into TimeoutError; Task.cancel arrives at the next await
Expected: CancelledError leaves the block
Seen:     TimeoutError leaves it, and the cancellation is forgotten
"""

import asyncio


async def body():
    asyncio.current_task().cancel()
    async with asyncio.timeout(0):
        await asyncio.sleep(1)


async def main():
    try:
        await asyncio.create_task(body())
    except (TimeoutError, asyncio.CancelledError) as error:
        return error


error = asyncio.run(main())
print("left the block:", repr(error))
raise SystemExit(isinstance(error, TimeoutError))
