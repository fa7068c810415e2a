"""talyn: call_later() returns a handle of its own that is no asyncio.TimerHandle

Rule:     TMR-05
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.call_later returns an asyncio.TimerHandle
Expected: an instance of it
Seen:     a talyn.TimerHandle
"""

import asyncio

import talyn

loop = talyn.Loop()
handle = loop.call_later(0, print)
print(type(handle))
raise SystemExit(not isinstance(handle, asyncio.TimerHandle))
