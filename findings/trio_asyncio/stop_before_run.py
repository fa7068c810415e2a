"""trio_asyncio: stop() before run_forever() is forgotten, and the run goes on

Rule:     LIF-01, LIF-03
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.run_forever: after a stop() it polls once with a timeout of 0, and returns
Expected: the run returns at once
Seen:     it goes on until something else stops it
"""

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
went_on = []
loop.stop()
loop.call_later(0.2, lambda: (went_on.append(1), loop.stop()))
loop.run_forever()
print("went on:", bool(went_on))
raise SystemExit(bool(went_on))
