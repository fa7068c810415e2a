"""rloop: a transport that was closed keeps its socket open

Rule:     TRN-05
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     BaseTransport.close: the transport is closed, and after what is buffered so is the connection
Expected: the peer reads the end of the stream once connection_lost was called
Seen:     it waits for more, as long as anybody holds the transport
"""

import asyncio
import socket

import rloop


async def main():
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    del ours
    transport.close()
    await asyncio.sleep(0.05)
    try:
        print("the peer read:", peer.recv(1))
    except BlockingIOError:
        print("the peer waits for more")
        return True
    finally:
        peer.close()
    return False


raise SystemExit(rloop.new_event_loop().run_until_complete(main()))
