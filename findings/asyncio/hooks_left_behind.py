"""asyncio: hooks of asynchronous generators stay behind when a second run is refused in another thread

Rule:     RES-08
Versions: CPython 3.13.0 to 3.13.2; gh-130145, mended in 3.13.3
Docs:     sys.set_asyncgen_hooks: a loop has them while it runs, and gives back those that were there
Expected: no hooks after the run
Seen:     the refused run_forever() takes the note of the former hooks along, and they are never put back
"""

import asyncio
import contextlib
import sys
import threading

loop = asyncio.SelectorEventLoop()


def run_too():
    with contextlib.suppress(RuntimeError):
        loop.run_forever()


def refused_elsewhere():
    thread = threading.Thread(target=run_too)
    thread.start()
    thread.join()
    loop.stop()


loop.call_soon(refused_elsewhere)
loop.run_forever()
hooks = sys.get_asyncgen_hooks()
print("hooks after the run:", hooks)
raise SystemExit(hooks.firstiter is not None)
