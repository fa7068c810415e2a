"""talyn: KeyboardInterrupt in a callback puts the rest of the batch behind what it scheduled

Rule:     EXC-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; call_soon is FIFO, and CPython's loop keeps the queue as it is when a run is left
Expected: first, second
Seen:     second, first
"""

import talyn

loop = talyn.Loop()
ran = []


def interrupt():
    raise KeyboardInterrupt


loop.call_soon(loop.call_soon, ran.append, "second")
loop.call_soon(interrupt)
loop.call_soon(ran.append, "first")
try:
    loop.run_forever()
except KeyboardInterrupt:
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
print(*ran, sep=", ")
raise SystemExit(ran != ["first", "second"])
