"""zloop: create_unix_server() takes a TCP socket

Rule:     SRV-07
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.create_unix_server: similar to loop.create_server but works with the AF_UNIX socket family
Expected: ValueError, as of CPython's own: a Unix server has a Unix stream
Seen:     a server; a path and a socket at once, a datagram socket and ssl=True are not refused either
"""

import asyncio
import socket

import zloop


async def main():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        try:
            server = await asyncio.get_running_loop().create_unix_server(asyncio.Protocol, sock=sock)
        except ValueError:
            return False
        server.close()
        return True


taken = zloop.new_event_loop().run_until_complete(main())
print("create_unix_server() takes a TCP socket:", taken)
raise SystemExit(taken)
