"""winloop: call_later(0) armed before call_soon() runs first, though it comes due later

Rule:     ORD-05
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     none; CPython's loop runs what is ready before it looks at the timers
Expected: soon, timer
Seen:     timer, soon: a delay of zero is a call_soon()
"""

import winloop

ran = []
loop = winloop.new_event_loop()
loop.call_later(0, ran.append, "timer")
loop.call_soon(ran.append, "soon")
loop.call_later(0.01, loop.stop)
loop.run_forever()
loop.close()
print(ran)
raise SystemExit(ran != ["soon", "timer"])
