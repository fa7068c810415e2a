"""zloop: call_later(nan) is taken and runs at once

Rule:     TMR-09
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.call_later takes a number of seconds; NaN is none that a clock could reach
Expected: ValueError when it is armed, or a timer that never runs
Seen:     it runs at once
"""

import zloop

ran = []
loop = zloop.new_event_loop()
try:
    loop.call_later(float("nan"), ran.append, "nan")
except (ValueError, OverflowError):
    print("refused")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print("ran:", ran)
raise SystemExit(bool(ran))
