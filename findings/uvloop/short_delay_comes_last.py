"""uvloop: a timer of less than half a millisecond runs after timers that are due later

Rule:     TMR-03
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.call_later, loop.call_at: called at that time; the earlier deadline comes first
Expected: of 0.4 ms and 5 ms, both past when the loop gets to them, the 0.4 ms are first
Seen:     a delay that rounds to 0 is a call_soon(), and that comes behind all timers that are due
"""

import time

import uvloop

loop = uvloop.new_event_loop()
ran = []
loop.call_later(0.005, ran.append, "5 ms")
loop.call_later(0.0004, ran.append, "0.4 ms")
time.sleep(0.02)
loop.call_later(0.05, loop.stop)
loop.run_forever()
loop.close()
print("ran:", ", ".join(ran))
raise SystemExit(ran[0] == "5 ms")
