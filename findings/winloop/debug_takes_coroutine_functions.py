"""winloop: in debug mode call_soon() takes a coroutine function

Rule:     EXC-06
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     Developing with asyncio, debug mode; CPython refuses with TypeError (test_base_events)
Expected: TypeError
Seen:     it is scheduled, called, and its coroutine is never awaited
"""

import winloop


async def main():
    """Never awaited."""


loop = winloop.new_event_loop()
loop.set_debug(True)
try:
    print("returned:", loop.call_soon(main))
except TypeError as error:
    print("raised:", error)
    raise SystemExit(0) from None
raise SystemExit(1)
