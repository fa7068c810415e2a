"""trio_asyncio: cancelled timers stay until their deadline, and the loop wakes for each

Rule:     HEAP-01, HEAP-06
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     none; bpo-22448: CPython's loop drops them when they are too many
Expected: what is cancelled is dropped some time
Seen:     the heap keeps every handle
"""

import sys

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()


def churn():
    for _ in range(20_000):
        loop.call_later(1000, print).cancel()
    loop.call_later(0.5, loop.stop)
    loop.run_forever()


churn()
before = sys.getallocatedblocks()
churn()
more = sys.getallocatedblocks() - before
print("memory blocks of 20,000 cancelled timers:", more)
raise SystemExit(more > 20_000)
