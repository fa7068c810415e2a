"""zloop: run_in_executor() of a closed loop is taken

Rule:     THR-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.close: no other method should be called after it; CPython raises RuntimeError
Expected: RuntimeError
Seen:     a future that nobody will ever complete
"""

import zloop

loop = zloop.new_event_loop()
loop.close()
try:
    print("returned:", loop.run_in_executor(None, int))
except RuntimeError as error:
    print("raised:", error)
    raise SystemExit(0) from None
raise SystemExit(1)
