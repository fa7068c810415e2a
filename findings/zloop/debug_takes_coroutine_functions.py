"""zloop: debug mode takes coroutine functions for callbacks

Rule:     EXC-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     asyncio-dev, debug mode; CPython raises TypeError: coroutines cannot be used with call_soon()
Expected: TypeError
Seen:     a handle
"""

import zloop

loop = zloop.new_event_loop()


async def coroutine_function():
    """Would never be awaited."""


loop.set_debug(True)
taken = False
try:
    taken = bool(loop.call_soon(coroutine_function))
except TypeError as error:
    print(error)
print("taken:", taken)
raise SystemExit(taken)
