"""zloop: call_later() returns a handle that is no asyncio.TimerHandle

Rule:     TMR-05
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.call_later returns an instance of asyncio.TimerHandle
Expected: an asyncio.TimerHandle
Seen:     zloop.TimerHandle
"""

import asyncio

import zloop

loop = zloop.new_event_loop()
handle = loop.call_later(0, print)
print("returned:", type(handle))
raise SystemExit(not isinstance(handle, asyncio.TimerHandle))
