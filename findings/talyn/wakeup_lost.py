"""talyn: a callback from another thread waits for the next grid of ten milliseconds

Rule:     THR-02
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.call_soon_threadsafe; it wakes the loop
Expected: each call is answered within a millisecond or two
Seen:     some of them wait until something else happens, or for ever
"""

import threading
import time

import talyn

loop = talyn.Loop()
answered = threading.Event()
waits = []


def ask():
    for _ in range(300):
        answered.clear()
        start = time.monotonic()
        loop.call_soon_threadsafe(answered.set)
        answered.wait(2)
        waits.append(time.monotonic() - start)
    loop.call_soon_threadsafe(loop.stop)


thread = threading.Thread(target=ask)
thread.start()
loop.run_forever()
thread.join()
print(f"the longest took {max(waits):.3f} s")
raise SystemExit(max(waits) > 0.005)
