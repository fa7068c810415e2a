"""asyncio_gevent: run_forever() runs in a greenlet, and does not raise what is raised there

Rule:     LIF-04, LIF-06
Versions: asyncio-gevent 0.2.5, gevent 26.9.0, CPython 3.13, Linux
Docs:     loop.close; loop.run_forever; CPython raises RuntimeError for a closed loop, and for one that runs
Expected: RuntimeError: Event loop is closed
Seen:     nothing; gevent prints the error of its greenlet
"""

import asyncio_gevent

loop = asyncio_gevent.EventLoop()
loop.close()
error = None
try:
    loop.run_forever()
except RuntimeError as caught:
    error = caught
print(repr(error))
raise SystemExit(error is None)
