"""trio_asyncio: close() runs the callbacks that are queued

Rule:     LIF-04
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.close: the queue is cleared, pending callbacks are dropped
Expected: the callback never runs
Seen:     it runs inside close()
"""

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
ran = []
loop.call_soon(ran.append, 1)
loop.close()
print("ran:", bool(ran))
raise SystemExit(bool(ran))
