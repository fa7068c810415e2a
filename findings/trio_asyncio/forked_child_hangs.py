"""trio_asyncio: close() hangs in a forked child

Rule:     LIF-08
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     none; CPython's loop can be closed by a child that has no use for it
Expected: the child's copy is closed
Seen:     close() runs trio's loop, which waits for ever
"""

import os
import signal
import time

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
loop.call_later(0.01, loop.stop)
loop.run_forever()
child = os.fork()
if child == 0:
    loop.close()
    os._exit(0)
deadline = time.monotonic() + 5
ended = 0
while not ended and time.monotonic() < deadline:
    ended, _ = os.waitpid(child, os.WNOHANG)
    time.sleep(0.01)
if not ended:
    os.kill(child, signal.SIGKILL)
print("hung:", not ended)
raise SystemExit(not ended)
