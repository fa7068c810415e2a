"""zloop: close() leaves the threads of the default executor running

Rule:     LIF-05, RES-02
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.close: it shuts down the executor, and does not wait for it
Expected: the thread ends
Seen:     it waits for more work until the process ends
"""

import threading
import time

import zloop

loop = zloop.new_event_loop()
loop.run_until_complete(loop.run_in_executor(None, int))
loop.close()
deadline = time.monotonic() + 1
while threading.active_count() > 1 and time.monotonic() < deadline:
    time.sleep(0.01)
left = threading.active_count() - 1
print("threads left:", left)
raise SystemExit(left > 0)
