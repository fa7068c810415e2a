"""rloop: remove_reader() after a cancelled sock_recv() aborts the process

Rule:     CAN-12
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.sock_recv; CPython removes the reader with the cancellation (bpo-30064)
Expected: remove_reader() returns False
Seen:     a panic, and SIGABRT
"""

import asyncio
import os
import signal
import socket

import rloop


async def main():
    ours, _peer = socket.socketpair()
    ours.setblocking(False)
    loop = asyncio.get_running_loop()
    receiving = loop.create_task(loop.sock_recv(ours, 1))
    await asyncio.sleep(0.01)
    receiving.cancel()
    await asyncio.wait([receiving])
    print("was there a reader:", loop.remove_reader(ours.fileno()))


child = os.fork()
if child == 0:
    rloop.new_event_loop().run_until_complete(main())
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
