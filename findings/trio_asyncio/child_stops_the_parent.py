"""trio_asyncio: a forked child that closes its copy of the loop stops the parent's

Rule:     LIF-08
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     none; bpo-22087: parent and child share one epoll set
Expected: the parent's loop goes on
Seen:     it never ends
"""

import os
import signal
import threading
import time

import trio_asyncio


def fork_and_go_on():
    loop = trio_asyncio.TrioPolicy().new_event_loop()
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    child = os.fork()
    if child == 0:
        loop.close()
        os._exit(0)
    os.waitpid(child, 0)
    threading.Timer(0.1, loop.call_soon_threadsafe, (loop.stop,)).start()
    loop.run_forever()
    os._exit(0)


parent = os.fork()
if parent == 0:
    fork_and_go_on()
deadline = time.monotonic() + 5
ended = 0
while not ended and time.monotonic() < deadline:
    ended, _ = os.waitpid(parent, os.WNOHANG)
    time.sleep(0.01)
if not ended:
    os.kill(parent, signal.SIGKILL)
print("hung:", not ended)
raise SystemExit(not ended)
