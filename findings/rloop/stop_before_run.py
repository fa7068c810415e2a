"""rloop: after stop() before run_forever() nothing runs

Rule:     LIF-01
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.run_forever: a stop() before it lets one batch of callbacks run
Expected: the callback runs
Seen:     the run returns before it
"""

import rloop

ran = []
loop = rloop.new_event_loop()
loop.call_soon(ran.append, "scheduled")
loop.stop()
loop.run_forever()
print("ran:", ran)
raise SystemExit(not ran)
