"""talyn: timers that are overdue together fire in the order in which they were armed

Rule:     TMR-02, TMR-03, HEAP-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-eventloop, scheduling delayed callbacks: deadlines are kept in order
Expected: 0.1 ms, 0.2 ms
Seen:     0.2 ms, 0.1 ms
"""

import time

import talyn

loop = talyn.Loop()
ran = []
loop.call_later(0.0002, ran.append, "0.2 ms")
loop.call_later(0.0001, ran.append, "0.1 ms")
time.sleep(0.01)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print(*ran, sep=", ")
raise SystemExit(ran[0] == "0.2 ms")
