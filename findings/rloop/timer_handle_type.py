"""rloop: call_later(0) returns a handle that is no TimerHandle

Rule:     TMR-05
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.call_later returns an instance of asyncio.TimerHandle
Expected: an asyncio.TimerHandle
Seen:     rloop._rloop.CBHandle1
"""

import asyncio

import rloop

handle = rloop.new_event_loop().call_later(0, print, "x")
print("returned:", type(handle))
raise SystemExit(not isinstance(handle, asyncio.TimerHandle))
