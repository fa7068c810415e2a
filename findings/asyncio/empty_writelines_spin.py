"""asyncio: writelines() of nothing but empty bytes spins for ever, and the transport never closes

Rule:     TRN-03
Versions: CPython 3.12 and later; 3.11 joins the lines and writes nothing
Docs:     WriteTransport.writelines(): equivalent to write() on each element; write(b"") does nothing
Expected: connection_lost() after close()
Seen:     an empty view stays in the buffer, is sent anew at each turn, and close() waits for it
"""

import asyncio
import socket
import time


class Closing(asyncio.Protocol):
    lost = False

    def connection_lost(self, exc):
        self.lost = True


async def main():
    ours, _peer = socket.socketpair()
    transport, protocol = await asyncio.get_running_loop().create_connection(Closing, sock=ours)
    transport.writelines([b""])
    transport.close()
    began = time.process_time()
    await asyncio.sleep(0.2)
    print("lost:", protocol.lost, "CPU seconds in 0.2:", round(time.process_time() - began, 2))
    return protocol.lost


raise SystemExit(not asyncio.run(main()))
