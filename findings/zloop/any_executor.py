"""zloop: set_default_executor() takes whatever it is given

Rule:     EXE-01
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.set_default_executor: since 3.11 executor must be an instance of ThreadPoolExecutor
Expected: TypeError
Seen:     nothing
"""

import zloop

loop = zloop.new_event_loop()
error = None
try:
    loop.set_default_executor("no executor")
except TypeError as caught:
    error = caught
print(repr(error))
raise SystemExit(error is None)
