"""uvloop: call_later(0) armed before call_soon() runs first, though it comes due later

Rule:     ORD-05
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     none; CPython's loop runs what is ready before it looks at the timers
Expected: soon, timer
Seen:     timer, soon: a delay of zero is a call_soon()
"""

import uvloop

ran = []
loop = uvloop.new_event_loop()
loop.call_later(0, ran.append, "timer")
loop.call_soon(ran.append, "soon")
loop.call_later(0.01, loop.stop)
loop.run_forever()
loop.close()
print(ran)
raise SystemExit(ran != ["soon", "timer"])
