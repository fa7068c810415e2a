"""talyn: cancel() marks the handle and keeps callback and arguments

Rule:     HEAP-04
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; asyncio.Handle.cancel lets go of both, so that what they hold can be collected
Expected: the argument is collected
Seen:     it stays
"""

import gc
import weakref

import talyn

loop = talyn.Loop()


class Argument:
    """What the callback would be given."""


argument = Argument()
watched = weakref.ref(argument)
handle = loop.call_later(1000, print, argument)
handle.cancel()
del argument
gc.collect()
print("still alive:", watched() is not None)
raise SystemExit(watched() is not None)
