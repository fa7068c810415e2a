"""zloop: run_in_executor() is taken after shutdown_default_executor()

Rule:     LIF-10
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.shutdown_default_executor: after it run_in_executor raises RuntimeError
Expected: RuntimeError
Seen:     a new executor is made
"""

import zloop

loop = zloop.new_event_loop()
loop.run_until_complete(loop.shutdown_default_executor())
taken = False
try:
    taken = bool(loop.run_in_executor(None, int))
except RuntimeError as error:
    print(error)
print("taken:", taken)
raise SystemExit(taken)
