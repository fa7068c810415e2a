"""zloop: when the exception handler raises too, nothing is logged

Rule:     EXC-02
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     none; CPython's loop falls back to the default handler (test_base_events)
Expected: the default handler logs both errors
Seen:     silence
"""

import logging

import zloop

logged = []
logging.getLogger("asyncio").addFilter(lambda record: logged.append(record.getMessage()))


def broken(loop, context):
    raise RuntimeError("this handler is broken")


loop = zloop.new_event_loop()
loop.set_exception_handler(broken)
loop.call_soon(int, "no number")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print("logged:", logged)
raise SystemExit(not logged)
