"""trio_asyncio: call_soon_threadsafe() returns None, so what it queued cannot be cancelled

Rule:     CAN-02
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.call_soon_threadsafe is the thread-safe variant of call_soon, which returns an asyncio.Handle
Expected: a Handle
Seen:     None
"""

import asyncio

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
handle = loop.call_soon_threadsafe(print)
print(handle)
raise SystemExit(not isinstance(handle, asyncio.Handle))
