"""winloop: callbacks run after KeyboardInterrupt was raised

Rule:     EXC-03
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     none; in CPython's loop KeyboardInterrupt leaves at once, and the rest waits for the next run
Expected: the second callback waits
Seen:     it runs before run_forever() raises
"""

import winloop

ran = []
loop = winloop.new_event_loop()


def interrupt():
    raise KeyboardInterrupt


loop.call_soon(interrupt)
loop.call_soon(ran.append, "second")
try:
    loop.run_forever()
except KeyboardInterrupt:
    print("ran before it was raised:", ran)
raise SystemExit(bool(ran))
