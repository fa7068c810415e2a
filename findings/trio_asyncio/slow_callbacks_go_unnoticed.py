"""trio_asyncio: debug mode logs no slow callbacks

Rule:     EXC-06
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     asyncio-dev, debug mode: callbacks that take longer than slow_callback_duration are logged
Expected: a warning
Seen:     nothing is logged
"""

import logging
import time

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
logged = []
notes = logging.Handler()
notes.emit = logged.append
logging.getLogger().addHandler(notes)
loop.set_debug(True)
loop.slow_callback_duration = 0.01
loop.call_soon(time.sleep, 0.05)
loop.call_later(0.1, loop.stop)
loop.run_forever()
print("logged:", len(logged))
raise SystemExit(not logged)
