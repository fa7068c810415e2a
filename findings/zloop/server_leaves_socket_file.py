"""zloop: the file of a Unix server's socket stays after close()

Rule:     SRV-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.create_unix_server: the socket file is removed when the server is closed (since 3.13)
Expected: the file is gone
Seen:     it is there
"""

import asyncio
import os
import tempfile

import zloop

loop = zloop.new_event_loop()


async def serve(path):
    server = await loop.create_unix_server(asyncio.Protocol, path)
    server.close()
    return os.path.exists(path)


with tempfile.TemporaryDirectory() as folder:
    left = loop.run_until_complete(serve(folder + "/socket"))
print("left:", left)
raise SystemExit(left)
