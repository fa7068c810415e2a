"""rloop: cancelled timers keep their memory, and wake the loop, until they would have fired

Rule:     HEAP-01, HEAP-04, HEAP-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     Handle.cancel; CPython lets go of callback and arguments at once, of handles by the heap-full
Expected: what a cancelled timer held is free
Seen:     it lives until the deadline: about 30 MiB for 100,000 timers
"""

import weakref

import rloop


class Payload:
    """An argument that can be watched."""


loop = rloop.new_event_loop()
payload = Payload()
alive = weakref.ref(payload)
handle = loop.call_later(3600, print, payload)
handle.cancel()
del payload
print("still alive:", alive() is not None)
raise SystemExit(alive() is not None)
