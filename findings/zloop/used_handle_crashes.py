"""zloop: the handle of a callback that runs or ran ends the process when it is used

Rule:     TMR-06, HEAP-04, CAN-01, CAN-02, RES-03, RES-04, RES-05, RES-08, RES-06, RES-07
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     Handle.cancel: no effect when the callback was cancelled or run; TimerHandle.when
Expected: no effect
Seen:     SIGSEGV
"""

import os
import signal

import zloop

child = os.fork()
if child == 0:
    loop = zloop.new_event_loop()
    handles = []
    handles.append(loop.call_soon(lambda: handles[0].cancel()))
    handles.append(loop.call_later(0.001, lambda: handles[1].cancel()))
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    for handle in handles:
        handle.cancelled()
    handles[1].when()
    del handle, handles
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGSEGV)
