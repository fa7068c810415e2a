"""zloop: in debug mode call_soon() and call_later() from another thread are let through

Rule:     TMR-12, THR-05
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     Developing with asyncio, debug mode: calls that are not thread-safe raise in a wrong thread
Expected: RuntimeError
Seen:     nothing
"""

import threading

import zloop

raised = []
loop = zloop.new_event_loop()
loop.set_debug(True)


def foreign():
    for call in (lambda: loop.call_soon(int), lambda: loop.call_later(0.001, int)):
        try:
            call()
        except RuntimeError as error:
            raised.append(error)


loop.call_soon(threading.Thread(target=foreign).start)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("refused:", len(raised), "of 2")
raise SystemExit(len(raised) < 2)
