"""winloop: call_later(0) returns a Handle, which has no when()

Rule:     TMR-05, TMR-06
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.call_later returns an asyncio.TimerHandle; TimerHandle.when() is its deadline
Expected: an asyncio.TimerHandle for a delay of zero too
Seen:     winloop.loop.Handle; when() raises AttributeError
"""

import asyncio

import winloop

loop = winloop.new_event_loop()
handle = loop.call_later(0, print)
loop.close()
print("returned:", type(handle))
raise SystemExit(not isinstance(handle, asyncio.TimerHandle))
