"""uvloop: call_later(0) returns a Handle, which has no when()

Rule:     TMR-05, TMR-06
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.call_later returns an asyncio.TimerHandle; TimerHandle.when() is its deadline
Expected: an asyncio.TimerHandle for a delay of zero too
Seen:     uvloop.loop.Handle; when() raises AttributeError
"""

import asyncio

import uvloop

loop = uvloop.new_event_loop()
handle = loop.call_later(0, print)
loop.close()
print("returned:", type(handle))
raise SystemExit(not isinstance(handle, asyncio.TimerHandle))
