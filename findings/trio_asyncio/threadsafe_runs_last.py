"""trio_asyncio: what call_soon_threadsafe() queued runs after what call_soon() queued later

Rule:     ORD-04
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     PEP 3156: call_soon_threadsafe() is call_soon() that may be called from other threads
Expected: first, second
Seen:     second, first
"""

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
ran = []
loop.call_soon_threadsafe(ran.append, "first")
loop.call_soon(ran.append, "second")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print(*ran, sep=", ")
raise SystemExit(ran != ["first", "second"])
