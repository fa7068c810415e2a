"""zloop: the default exception handler prints, and logs nothing

Rule:     EXC-02, EXC-05
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     asyncio-dev, logging; detect never-retrieved exceptions: what nobody asks for is logged
Expected: a record in the log
Seen:     none: it is written to sys.stderr
"""

import gc
import logging

import zloop

loop = zloop.new_event_loop()
logged = []
notes = logging.Handler()
notes.emit = logged.append
logging.getLogger().addHandler(notes)


async def fail():
    raise ValueError


task = loop.create_task(fail())
loop.call_later(0.05, loop.stop)
loop.run_forever()
del task
gc.collect()
print("logged:", len(logged))
raise SystemExit(not logged)
