"""rloop: close() calls connection_lost before it returns

Rule:     TRN-01
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     PEP 3156, Transports: connection_lost is called by the loop, never by close() itself
Expected: connection_lost comes after close() has returned
Seen:     it comes inside it
"""

import asyncio
import socket

import rloop

order = []


class Client(asyncio.Protocol):
    def connection_lost(self, exc):
        order.append("connection_lost")


async def main():
    ours, peer = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(Client, sock=ours)
    transport.close()
    order.append("close() returned")
    await asyncio.sleep(0.05)
    peer.close()


rloop.new_event_loop().run_until_complete(main())
print(order)
raise SystemExit(order[0] == "connection_lost")
