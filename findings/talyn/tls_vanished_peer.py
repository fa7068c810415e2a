"""talyn: a connection whose peer goes within the TLS handshake is waited for on and on

Rule:     TLS-02, TLS-11
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.create_connection, loop.start_tls; CPython raises ConnectionResetError or SSLError
Expected: create_connection() raises at once
Seen:     it waits on; start_tls() tells the protocol of an end-of-file
"""

import asyncio
import socket
import ssl

import talyn


async def main():
    ours, peer = socket.socketpair()
    context = ssl.create_default_context()
    connecting = asyncio.ensure_future(
        asyncio.get_running_loop().create_connection(
            asyncio.Protocol, sock=ours, ssl=context, server_hostname="localhost"
        )
    )
    await asyncio.sleep(0.1)
    peer.close()
    done, _ = await asyncio.wait([connecting], timeout=2)
    print("it ended:", [repr(each.exception()) for each in done])
    return not done


loop = talyn.Loop()
raise SystemExit(loop.run_until_complete(main()))
