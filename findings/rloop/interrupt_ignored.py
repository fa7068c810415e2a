"""rloop: KeyboardInterrupt in a callback does not end the run

Rule:     EXC-03
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     none; in CPython's loop KeyboardInterrupt and SystemExit leave run_forever() at once
Expected: run_forever() raises KeyboardInterrupt
Seen:     the run goes on
"""

import rloop

loop = rloop.new_event_loop()


def interrupt():
    raise KeyboardInterrupt


loop.call_soon(interrupt)
loop.call_later(0.05, loop.stop)
try:
    loop.run_forever()
except KeyboardInterrupt:
    raise SystemExit(0) from None
print("the run went on")
raise SystemExit(1)
