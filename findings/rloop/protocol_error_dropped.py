"""rloop: an exception in data_received is dropped

Rule:     TRN-13
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.set_exception_handler; CPython tells the handler and ends the connection (test_selector_events)
Expected: the exception handler is called, then connection_lost with the exception
Seen:     neither; the connection goes on
"""

import asyncio
import socket

import rloop

told = []


class Failing(asyncio.Protocol):
    def data_received(self, data):
        raise ValueError

    def connection_lost(self, exc):
        told.append(f"connection_lost by {exc!r}")


async def main():
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: told.append("handler"))
    ours, peer = socket.socketpair()
    await loop.create_connection(Failing, sock=ours)
    peer.send(b"a")
    await asyncio.sleep(0.05)
    peer.close()


rloop.new_event_loop().run_until_complete(main())
print("told:", told)
raise SystemExit("handler" not in told)
