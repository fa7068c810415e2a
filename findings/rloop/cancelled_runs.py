"""rloop: a cancelled callback runs

Rule:     CAN-01
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     Handle.cancel: a callback that was not run yet never will be
Expected: nothing runs
Seen:     it runs
"""

import rloop

ran = []
loop = rloop.new_event_loop()
loop.call_soon(ran.append, "cancelled").cancel()
loop.call_soon(loop.stop)
loop.run_forever()
print("ran:", ran)
raise SystemExit(bool(ran))
