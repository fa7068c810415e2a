"""uvloop: run_until_complete() inside a run is refused, and leaves a task behind

Rule:     RES-05
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     none; CPython's loop looks whether it runs before it makes a task of the coroutine
Expected: RuntimeError, and nothing else
Seen:     the task runs later on, here with a coroutine that was closed meanwhile, and its error goes unseen
"""

import gc

import uvloop

heard = []
loop = uvloop.new_event_loop()
loop.set_exception_handler(lambda _, context: heard.append(context["message"]))


async def nothing():
    pass


def nest():
    step = nothing()
    try:
        loop.run_until_complete(step)
    except RuntimeError as error:
        print(error)
    finally:
        step.close()


loop.call_soon(nest)
loop.call_later(0.05, loop.stop)
loop.run_forever()
loop.close()
gc.collect()
print("heard:", heard)
raise SystemExit(bool(heard))
