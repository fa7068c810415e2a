"""zloop: close() leaves the files of its poller open until the loop is collected

Rule:     RES-01
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.close; CPython, uvloop: a closed loop has no file open
Expected: none
Seen:     three
"""

import os

import zloop

before = len(os.listdir("/proc/self/fd"))
loop = zloop.new_event_loop()
loop.call_soon(loop.stop)
loop.run_forever()
loop.close()
left = len(os.listdir("/proc/self/fd")) - before
print("files left:", left)
raise SystemExit(left > 0)
