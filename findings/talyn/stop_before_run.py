"""talyn: stop() before run_forever() ends the run before its one iteration

Rule:     LIF-01, LIF-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.run_forever: after a stop() it polls once with a timeout of 0, runs what is ready, and returns
Expected: the callback runs in the run that was stopped before
Seen:     it does not
"""

import talyn

loop = talyn.Loop()
ran = []
loop.call_soon(ran.append, 1)
loop.stop()
try:
    loop.run_forever()
except RuntimeError as error:
    print(repr(error))
print("ran:", bool(ran))
raise SystemExit(not ran)
