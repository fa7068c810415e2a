"""winloop: the exception handler does not run in the context of the task that failed

Rule:     EXC-04
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.call_exception_handler: since 3.12 the handler runs in the context of what failed
Expected: the value that the task has set
Seen:     the default
"""

import asyncio
import contextvars
import gc

import winloop

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


winloop.run(main())
print("seen:", seen)
raise SystemExit(seen != [1])
