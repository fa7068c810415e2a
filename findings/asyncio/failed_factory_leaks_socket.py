"""asyncio: a connection whose protocol factory raises is neither closed nor answered

Rule:     RES-04
Versions: CPython 3.11, 3.13, Linux
Docs:     ResourceWarning; loop.create_server: protocol_factory must be a callable returning a protocol
Expected: the accepted socket is closed
Seen:     ResourceWarning: it is left to the collector
"""

import asyncio
import gc
import socket
import warnings

loop = asyncio.SelectorEventLoop()
loop.set_exception_handler(lambda *_: None)


def fail():
    raise ValueError


async def serve():
    server = await loop.create_server(fail, "127.0.0.1", 0)
    with socket.create_connection(server.sockets[0].getsockname()):
        await asyncio.sleep(0.05)
    server.close()


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    loop.run_until_complete(serve())
    loop.close()
    gc.collect()
left = [str(warning.message) for warning in caught if warning.category is ResourceWarning]
print("left open:", *left)
raise SystemExit(bool(left))
