"""asyncio: writelines() after close() raises TypeError

Rule:     TRN-07, RES-05
Versions: CPython 3.12.0 to 3.13.5; gh-136234, mended in 3.13.6
Docs:     BaseTransport.close; CPython ignores a write() after it (test_selector_events)
Expected: what is written after a close is ignored
Seen:     TypeError from the socket that is gone
"""

import asyncio
import socket


async def main():
    ours, _peer = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    transport.close()
    await asyncio.sleep(0.01)
    try:
        transport.writelines([b"a"])
    except (TypeError, AttributeError) as error:
        print("raised:", repr(error))
        return True
    return False


raise SystemExit(asyncio.run(main()))
