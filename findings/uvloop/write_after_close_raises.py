"""uvloop: write() to a transport that was closed raises RuntimeError

Rule:     TRN-07
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     BaseTransport.close; CPython ignores a write() after it (test_selector_events)
Expected: what is written after the end is ignored
Seen:     RuntimeError: unable to perform operation on <UnixTransport closed=True …>; the handler is closed
"""

import asyncio
import socket

import uvloop


async def main():
    ours, _peer = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    transport.close()
    await asyncio.sleep(0.01)
    try:
        transport.write(b"a")
    except RuntimeError as error:
        print("raised:", error)
        return True
    return False


raise SystemExit(uvloop.run(main()))
