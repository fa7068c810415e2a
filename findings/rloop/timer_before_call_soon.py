"""rloop: call_later(0) armed before call_soon() runs first, though it comes due later

Rule:     ORD-05
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     none; CPython's loop runs what is ready before it looks at the timers
Expected: soon, timer
Seen:     timer, soon
"""

import rloop

ran = []
loop = rloop.new_event_loop()
loop.call_later(0, ran.append, "timer")
loop.call_soon(ran.append, "soon")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print(ran)
raise SystemExit(ran != ["soon", "timer"])
