"""talyn: create_server(ssl=…) heeds no ssl_handshake_timeout

Rule:     TLS-03
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.create_server: ssl_handshake_timeout is the time to wait for the TLS handshake
Expected: the connection of a client that says nothing is aborted after 0.1 s
Seen:     it stays open
"""

import asyncio
import socket
import ssl

import talyn


async def main():
    server = await asyncio.get_running_loop().create_server(
        asyncio.Protocol,
        "127.0.0.1",
        0,
        ssl=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        ssl_handshake_timeout=0.1,
    )
    with socket.create_connection(server.sockets[0].getsockname()) as client:
        client.settimeout(2)
        try:
            end = await asyncio.to_thread(client.recv, 1)
        except TimeoutError:
            print("the connection is still open after 2 s")
            return True
        except ConnectionError as error:
            end = error
    print("the connection ended:", end)
    return False


loop = talyn.Loop()
raise SystemExit(loop.run_until_complete(main()))
