"""uvloop: the exception handler does not run in the context of the task that failed

Rule:     EXC-04
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.call_exception_handler: since 3.12 the handler runs in the context of what failed
Expected: the value that the task has set
Seen:     the default
"""

import asyncio
import contextvars
import gc

import uvloop

var = contextvars.ContextVar("var", default=0)
seen = []


async def fails():
    var.set(1)
    raise ValueError


async def main():
    asyncio.get_running_loop().set_exception_handler(lambda *_: seen.append(var.get()))
    task = asyncio.create_task(fails())
    await asyncio.wait([task])
    del task
    gc.collect()


uvloop.run(main())
print("seen:", seen)
raise SystemExit(seen != [1])
