"""winloop: write() to a transport that was closed raises RuntimeError

Rule:     TRN-07
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     BaseTransport.close; CPython ignores a write() after it (test_selector_events)
Expected: what is written after the end is ignored
Seen:     RuntimeError: unable to perform operation on <UnixTransport closed=True …>; the handler is closed
"""

import asyncio
import socket

import winloop


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


raise SystemExit(winloop.run(main()))
