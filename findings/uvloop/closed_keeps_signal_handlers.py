"""uvloop: a loop that was closed keeps its signal handlers

Rule:     RES-03
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.close: any pending callbacks will be discarded; CPython removes signal handlers there
Expected: nobody holds the handler any more
Seen:     it is alive, even when the loop is dropped
"""

import gc
import signal
import weakref

import uvloop


class Handler:
    def __call__(self):
        pass


loop = uvloop.new_event_loop()
handler = Handler()
watched = weakref.ref(handler)
loop.add_signal_handler(signal.SIGUSR1, handler)
loop.close()
del handler, loop
gc.collect()
print("alive:", watched() is not None)
raise SystemExit(watched() is not None)
