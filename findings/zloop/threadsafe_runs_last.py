"""zloop: what call_soon_threadsafe() queued runs after what call_soon() queued later

Rule:     ORD-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     none; in CPython's loop both go into one queue
Expected: first, second
Seen:     second, first
"""

import zloop

ran = []
loop = zloop.new_event_loop()
loop.call_soon_threadsafe(ran.append, "first")
loop.call_soon(ran.append, "second")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print(ran)
raise SystemExit(ran != ["first", "second"])
