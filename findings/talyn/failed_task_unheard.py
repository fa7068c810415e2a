"""talyn: a task that failed, and that nobody asks, is forgotten without a word

Rule:     EXC-05
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-dev, detect never-retrieved exceptions: the exception handler is told
Expected: the handler is told once
Seen:     it is not told
"""

import gc

import talyn

loop = talyn.Loop()
told = []
loop.set_exception_handler(lambda _, context: told.append(context))


async def fail():
    raise ValueError


task = loop.create_task(fail())
loop.call_later(0.05, loop.stop)
loop.run_forever()
del task
gc.collect()
print("told:", len(told), "times")
raise SystemExit(len(told) != 1)
