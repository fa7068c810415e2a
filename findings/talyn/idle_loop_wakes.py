"""talyn: an idle loop wakes every ten milliseconds

Rule:     RES-06
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; epoll_wait(2), io_uring_enter(2): they sleep until something is due
Expected: a few waits in half a second in which nothing is due
Seen:     some fifty
"""

import resource

import talyn

loop = talyn.Loop()
before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
loop.call_later(0.5, loop.stop)
loop.run_forever()
waits = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
print("waits:", waits)
raise SystemExit(waits > 20)
