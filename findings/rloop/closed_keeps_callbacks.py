"""rloop: a closed loop keeps its callbacks until it is gone itself

Rule:     RES-03
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.close: any pending callbacks will be discarded
Expected: nobody holds the callback any more
Seen:     it is alive, even when the loop is dropped
"""

import gc
import weakref

import rloop


class Callback:
    def __call__(self):
        pass


loop = rloop.new_event_loop()
loop.call_soon(loop.stop)
loop.run_forever()
callback = Callback()
watched = weakref.ref(callback)
loop.call_soon(callback)
loop.close()
del callback, loop
gc.collect()
print("alive:", watched() is not None)
raise SystemExit(watched() is not None)
