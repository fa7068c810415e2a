"""rloop: debug mode takes a coroutine function for a callback

Rule:     EXC-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     asyncio-dev, Debug Mode; CPython refuses it with TypeError (test_base_events)
Expected: TypeError
Seen:     it is taken, and its coroutine never awaited
"""

import rloop


async def coroutine_function():
    pass


loop = rloop.new_event_loop()
loop.set_debug(True)
try:
    loop.call_soon(coroutine_function)
except TypeError as error:
    print("raised:", error)
    raise SystemExit(0) from None
print("it was taken")
raise SystemExit(1)
