"""talyn: shutdown_default_executor() gives no warning when its timeout runs out

Rule:     LIF-10
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.shutdown_default_executor: when the timeout is reached, a RuntimeWarning is emitted
Expected: RuntimeWarning
Seen:     none
"""

import threading
import warnings

import talyn

loop = talyn.Loop()
release = threading.Event()


async def shut_down():
    job = loop.run_in_executor(None, release.wait)
    await loop.shutdown_default_executor(timeout=0.05)
    release.set()
    await job


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loop.run_until_complete(shut_down())
warned = [str(warning.message) for warning in caught if warning.category is RuntimeWarning]
print("warned:", warned)
raise SystemExit(not warned)
