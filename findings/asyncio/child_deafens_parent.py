"""asyncio: a forked child that closes its copy of the loop deafens the parent's call_soon_threadsafe

Rule:     LIF-08
Versions: CPython 3.11 to 3.15, Linux (epoll); bpo-22087
Docs:     loop.close frees what the loop has; fork(2): parent and child share one epoll set
Expected: the parent's loop goes on as if nothing had been
Seen:     the child takes the wake-up socket out of the shared set, and other threads cannot wake the parent
"""

import asyncio
import os
import threading
import time

loop = asyncio.SelectorEventLoop()
child = os.fork()
if child == 0:
    loop.close()
    os._exit(0)
os.waitpid(child, 0)
loop.call_later(1, loop.stop)
threading.Timer(0.05, loop.call_soon_threadsafe, [loop.stop]).start()
started = time.monotonic()
loop.run_forever()
took = time.monotonic() - started
print(f"woken after {took:.2f} s, asked for after 0.05 s")
raise SystemExit(took > 0.9)
