"""talyn: a task that ended a run with SystemExit or KeyboardInterrupt ends the next run, too

Rule:     LIF-07
Versions: talyn 0.10.4, CPython 3.13, Linux; as uvloop #336 was
Docs:     loop.run_until_complete: run until the future has completed
Expected: the second call waits for its own coroutine
Seen:     RuntimeError: the loop was stopped before
"""

import asyncio

import talyn


async def leave():
    raise SystemExit(3)


loop = talyn.Loop()
try:
    loop.run_until_complete(leave())
except SystemExit:
    print("left")
try:
    loop.run_until_complete(asyncio.sleep(0.01))
except RuntimeError as error:
    print(repr(error))
    raise SystemExit(1) from None
