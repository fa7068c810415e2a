"""trio_asyncio: run_in_executor() is taken after shutdown_default_executor()

Rule:     LIF-10
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.shutdown_default_executor: after it run_in_executor raises RuntimeError
Expected: RuntimeError
Seen:     a future, which fails later
"""

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
loop.run_until_complete(loop.shutdown_default_executor())
taken = False
try:
    taken = bool(loop.run_in_executor(None, int))
except RuntimeError as error:
    print(error)
print("taken:", taken)
raise SystemExit(taken)
