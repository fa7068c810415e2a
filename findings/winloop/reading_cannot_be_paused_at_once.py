"""winloop: pause_reading() in connection_made pauses nothing

Rule:     TRN-06
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     ReadTransport.pause_reading: no data comes until resume_reading() is called
Expected: no data
Seen:     data: the call does nothing, for reading begins only after connection_made
"""

import asyncio
import socket

import winloop


class Paused(asyncio.Protocol):
    heard = b""

    def connection_made(self, transport):
        transport.pause_reading()

    def data_received(self, data):
        self.heard += data


async def main():
    ours, peer = socket.socketpair()
    peer.send(b"a")
    transport, protocol = await asyncio.get_running_loop().create_connection(Paused, sock=ours)
    await asyncio.sleep(0.05)
    transport.abort()
    peer.close()
    print("came while paused:", protocol.heard)
    return protocol.heard != b""


raise SystemExit(winloop.run(main()))
