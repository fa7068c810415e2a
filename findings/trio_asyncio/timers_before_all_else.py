"""trio_asyncio: a timer that is due goes before earlier ones that are queued still

Rule:     ORD-05, ORD-06, ORD-07, TMR-02, TMR-03, HEAP-03
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     asyncio-eventloop, scheduling delayed callbacks: deadlines are kept in order
Expected: call_soon, 1 ms, 2 ms
Seen:     2 ms, call_soon, 1 ms
"""

import time

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
ran = []
loop.call_later(0.002, ran.append, "2 ms")
loop.call_soon(time.sleep, 0.01)
loop.call_soon(ran.append, "call_soon")
loop.call_later(0.001, ran.append, "1 ms")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print(*ran, sep=", ")
raise SystemExit(ran.index("2 ms") < ran.index("1 ms"))
