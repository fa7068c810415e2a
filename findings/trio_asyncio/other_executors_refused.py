"""trio_asyncio: the loop takes no executor but trio-asyncio's own

Rule:     EXE-01, EXE-02, CAN-15
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     loop.run_in_executor: executor is a concurrent.futures.Executor; loop.set_default_executor
Expected: the job is run by the pool
Seen:     AssertionError; set_default_executor() warns and is not obeyed, so that nothing is ever queued
"""

import concurrent.futures

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
error = None
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    try:
        loop.run_until_complete(loop.run_in_executor(pool, int))
    except AssertionError as caught:
        error = caught
print(repr(error))
raise SystemExit(error is not None)
