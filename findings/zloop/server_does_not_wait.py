"""zloop: wait_closed() does not wait for connections

Rule:     SRV-01
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     Server.wait_closed: waits until all active connections have finished (since 3.12)
Expected: it waits for the connection
Seen:     it returns at once
"""

import asyncio
import socket

import zloop

loop = zloop.new_event_loop()


async def serve():
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    client = socket.create_connection(server.sockets[0].getsockname())
    await asyncio.sleep(0.05)
    server.close()
    try:
        await asyncio.wait_for(server.wait_closed(), 0.1)
    except TimeoutError:
        return True
    finally:
        client.close()
    return False


waited = loop.run_until_complete(serve())
print("waited:", waited)
raise SystemExit(not waited)
