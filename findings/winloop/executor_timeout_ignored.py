"""winloop: shutdown_default_executor(timeout) waits for ever

Rule:     LIF-10
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.shutdown_default_executor: when the timeout is reached, a RuntimeWarning is emitted
Expected: after 50 ms it warns and returns
Seen:     it waits for the job, however long that takes, and does not warn
"""

import asyncio
import sys
import threading
import time
import warnings

import winloop


async def main():
    loop = asyncio.get_running_loop()
    release = threading.Event()
    loop.run_in_executor(None, release.wait)
    threading.Timer(1, release.set).start()
    began = time.monotonic()
    await loop.shutdown_default_executor(0.05)
    return time.monotonic() - began


with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    waited_s = winloop.run(main())
print(f"it waited {waited_s:.2f} s, and gave {len(warned)} warnings")
raise SystemExit(waited_s > 0.9 and sys.version_info >= (3, 12))
