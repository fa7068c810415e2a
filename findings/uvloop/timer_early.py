"""uvloop: timers fire up to a third of a millisecond early

Rule:     TMR-01
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.call_later: the callback is called after the given delay
Expected: no callback sooner than the delay after it was armed
Seen:     delays are rounded to whole milliseconds of a clock that stood still since the iteration began
"""

import time

import uvloop

loop = uvloop.new_event_loop()
early = 0.0
for _ in range(50):
    armed = time.monotonic()
    loop.call_later(0.0004, loop.stop)
    loop.run_forever()
    early = max(early, armed + 0.0004 - time.monotonic())
loop.close()
print(f"earliest: {early * 1000:.3f} ms before its time")
raise SystemExit(early > 0)
