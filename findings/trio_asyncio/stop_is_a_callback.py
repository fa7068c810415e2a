"""trio_asyncio: stop() is a callback like others, so what was queued before it runs first

Rule:     ORD-02, LIF-02
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.run_forever: what the batch in which stop() is called schedules runs in the next run
Expected: the callback that was scheduled beside stop() waits for the next run
Seen:     it runs in this one
"""

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
ran = []
loop.call_soon(lambda: (loop.call_soon(ran.append, "too early"), loop.stop()))
loop.run_forever()
print("ran before the run ended:", ran)
raise SystemExit(bool(ran))
