"""talyn: writes after the end give no warning

Rule:     TRN-07
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; CPython's transport logs "socket.send() raised exception." from the fifth on
Expected: a warning in the log
Seen:     none
"""

import asyncio
import logging
import socket

import talyn

loop = talyn.Loop()
logged = []
notes = logging.Handler()
notes.emit = logged.append
logging.getLogger().addHandler(notes)


async def connect():
    ours, peer = socket.socketpair()
    transport, _ = await loop.create_connection(asyncio.Protocol, sock=ours)
    transport.abort()
    await asyncio.sleep(0.05)
    for _ in range(10):
        transport.write(b"x")
    peer.close()


loop.run_until_complete(connect())
print("logged:", len(logged))
raise SystemExit(not logged)
