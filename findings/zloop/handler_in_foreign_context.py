"""zloop: the exception handler does not run in the context of what failed

Rule:     EXC-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.set_exception_handler: since 3.12 the handler is called in the context of the task or handle
Expected: the handler sees the variable as the callback set it
Seen:     it sees the default
"""

import contextvars
import gc

import zloop

loop = zloop.new_event_loop()
variable = contextvars.ContextVar("variable", default="unset")
seen = []
loop.set_exception_handler(lambda *_: seen.append(variable.get()))


async def fail():
    variable.set("set")
    raise ValueError


task = loop.create_task(fail())
loop.call_later(0.05, loop.stop)
loop.run_forever()
del task
gc.collect()
print("the handler sees:", *seen)
raise SystemExit(seen != ["set"])
