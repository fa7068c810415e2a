"""trio_asyncio: a closed loop may hold on to what call_soon_threadsafe() was given

Rule:     RES-03
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.close: the queue is cleared, and with it what its callbacks hold
Expected: nobody holds the callback once the loop is closed
Seen:     now and then it reaches the queue when nobody clears that any more
"""

import gc
import weakref

import trio_asyncio


class Work:
    def __call__(self):
        pass


closed, held = [], 0
for _ in range(30):
    loop, work = trio_asyncio.TrioPolicy().new_event_loop(), Work()
    reference = weakref.ref(work)
    loop.call_soon_threadsafe(work)
    loop.close()
    closed.append(loop)
    del work
    gc.collect()
    held += reference() is not None
print("held by their closed loops:", held, "of 30")
raise SystemExit(held > 0)
