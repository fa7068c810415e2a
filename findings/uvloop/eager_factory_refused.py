"""uvloop: asyncio.eager_task_factory cannot make a task

Rule:     LIF-11
Versions: uvloop 0.23.0, CPython 3.12 and 3.13, Linux
Docs:     eager_task_factory: when using this factory (via loop.set_task_factory(asyncio.eager_task_factory)),
          coroutines begin execution synchronously during Task construction
Expected: create_task() hands the factory what its caller gave, and makes the task
Seen:     it adds eager_start=None, which the factory of Python 3.12 and 3.13 does not know: TypeError
"""

import asyncio
import sys

import uvloop


async def nothing():
    pass


if sys.version_info < (3, 12):
    raise SystemExit(0)  # there are no eager tasks

loop = uvloop.new_event_loop()
loop.set_task_factory(asyncio.eager_task_factory)
coroutine = nothing()
try:
    loop.create_task(coroutine)
    made = "a task"
except TypeError as error:
    made = f"TypeError: {error}"
finally:
    coroutine.close()
print("create_task() made", made)
raise SystemExit(made != "a task")
