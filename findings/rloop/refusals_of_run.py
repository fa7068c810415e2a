"""rloop: a run of a closed loop, or inside a run, raises UnboundLocalError

Rule:     LIF-04, LIF-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.close and loop.run_forever; CPython raises RuntimeError (test_base_events)
Expected: RuntimeError
Seen:     UnboundLocalError, of the loop's own code
"""

import rloop

loop = rloop.new_event_loop()
loop.close()
try:
    loop.run_forever()
except RuntimeError:
    raise SystemExit(0) from None
except UnboundLocalError as error:
    print("raised:", error)
    raise SystemExit(1) from None
