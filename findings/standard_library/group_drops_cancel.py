"""asyncio.TaskGroup: a group that raises errors drops a cancellation from outside

Rule:     CAN-11, CAN-16
Versions: CPython 3.11 and 3.12; gh-116720, mended in 3.13
Docs:     Task groups; since 3.13 a cancellation from outside is kept when a child fails at the same time
Expected: the next await after the group raises CancelledError
Seen:     the cancellation is forgotten
"""

import asyncio


async def fails():
    raise ValueError


async def body():
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())
            asyncio.current_task().cancel()
            await asyncio.sleep(1)
    except ExceptionGroup:
        await asyncio.sleep(0)
    return "finished"


async def main():
    try:
        return await asyncio.create_task(body())
    except asyncio.CancelledError:
        return "cancelled"


said = asyncio.run(main())
print("the task:", said)
raise SystemExit(said != "cancelled")
