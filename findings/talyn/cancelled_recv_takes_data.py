"""talyn: a cancelled sock_recv() or sock_recvfrom() takes what comes next

Rule:     CAN-12, IO-12
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.sock_recv; bpo-30064: nothing is registered once a call was cancelled
Expected: what comes after the cancellation can be had
Seen:     the read that was begun takes it, and nobody gets it
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()


async def receive():
    ours, peer = socket.socketpair()
    ours.setblocking(False)
    task = loop.create_task(loop.sock_recv(ours, 10))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.sleep(0.05)
    peer.send(b"x")
    await asyncio.sleep(0.05)
    try:
        return ours.recv(10)
    except BlockingIOError as error:
        return error


told = loop.run_until_complete(receive())
print("received:", repr(told))
raise SystemExit(told != b"x")
