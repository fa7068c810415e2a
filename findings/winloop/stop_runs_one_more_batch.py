"""winloop: after stop() one more batch of callbacks runs

Rule:     LIF-02, ORD-02
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.run_forever: what callbacks schedule after stop() runs with the next run
Expected: c2 waits for the next run
Seen:     c2 runs in the run that was stopped
"""

import winloop

ran = []
loop = winloop.new_event_loop()


def c1():
    loop.stop()
    loop.call_soon(ran.append, "c2")


loop.call_soon(c1)
loop.run_forever()
loop.close()
print("ran in the first run:", ran)
raise SystemExit(bool(ran))
