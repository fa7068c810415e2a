"""uvloop: create_connection(ssl=…) on a Unix socket heeds no ssl_handshake_timeout

Rule:     TLS-03, TLS-04
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.create_connection: ssl_handshake_timeout is the time to wait for the TLS handshake
Expected: a handshake that nobody answers is given up after 0.1 s (as it is on TCP sockets)
Seen:     it goes on for the 60 s of the default; ssl_shutdown_timeout is not heeded either
"""

import asyncio
import socket
import ssl

import uvloop


async def main():
    ours, _silent = socket.socketpair()
    connecting = asyncio.get_running_loop().create_connection(
        asyncio.Protocol,
        sock=ours,
        ssl=ssl.create_default_context(),
        server_hostname="localhost",
        ssl_handshake_timeout=0.1,
    )
    try:
        await asyncio.wait_for(connecting, 2)
    except ConnectionAbortedError as error:
        print("given up:", error)
        return False
    except TimeoutError:
        print("the handshake went on for 2 s")
    return True


raise SystemExit(uvloop.run(main()))
