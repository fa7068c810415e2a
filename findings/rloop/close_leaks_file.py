"""rloop: close() leaves a file open

Rule:     LIF-05, RES-01
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.close: the loop's resources are cleared
Expected: as many open files after ten loops as before
Seen:     at least one more for each loop that was run
"""

import os

import rloop


def run_one():
    loop = rloop.new_event_loop()
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()


run_one()
before = len(os.listdir("/proc/self/fd"))
for _ in range(10):
    run_one()
leaked = len(os.listdir("/proc/self/fd")) - before
print("left open by 10 loops:", leaked)
raise SystemExit(leaked > 0)
