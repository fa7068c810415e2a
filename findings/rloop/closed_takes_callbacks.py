"""rloop: a closed loop takes callbacks

Rule:     THR-04
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.call_soon_threadsafe: RuntimeError on a closed loop
Expected: RuntimeError
Seen:     a handle of what never runs
"""

import rloop

loop = rloop.new_event_loop()
loop.close()
try:
    print("returned:", loop.call_soon_threadsafe(print))
except RuntimeError as error:
    print("raised:", error)
    raise SystemExit(0) from None
raise SystemExit(1)
