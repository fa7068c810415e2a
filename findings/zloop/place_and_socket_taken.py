"""zloop: create_connection() takes a host and a socket at once

Rule:     TRN-14, TRN-15
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.create_connection: if sock is given, none of host, port, family, proto, flags and local_addr
          should be specified
Expected: ValueError, as of CPython's own: two places to connect to contradict each other
Seen:     a transport; nor are a missing place, a datagram socket and options of TLS without ssl refused;
          ssl of a socket without a name to check ends in AttributeError
"""

import asyncio
import socket

import zloop


async def main():
    loop = asyncio.get_running_loop()
    with socket.socket() as sock, socket.create_server(("127.0.0.1", 0)) as server:
        sock.setblocking(False)
        try:
            transport, _ = await loop.create_connection(asyncio.Protocol, *server.getsockname(), sock=sock)
        except ValueError:
            return False
        transport.abort()
        await asyncio.sleep(0)
        return True


taken = zloop.new_event_loop().run_until_complete(main())
print("a host and a socket at once are taken:", taken)
raise SystemExit(taken)
