"""talyn: calls whose arguments contradict each other are taken

Rule:     TRN-14, SRV-06, DGM-02
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.create_server: sock can be given instead of host and port; loop.create_connection: sock is an
          existing stream socket; loop.create_datagram_endpoint: an address, a family or a socket is needed
Expected: ValueError, as of CPython's own
Seen:     a server on a host and a socket at once, a connection by a datagram socket, an endpoint nowhere
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()
stream, datagrams = socket.socket(), socket.socket(type=socket.SOCK_DGRAM)
calls = {
    "a host and a socket": lambda: loop.create_server(asyncio.Protocol, "127.0.0.1", 0, sock=stream),
    "a datagram socket": lambda: loop.create_connection(asyncio.Protocol, sock=datagrams),
    "no address": lambda: loop.create_datagram_endpoint(asyncio.DatagramProtocol),
}
taken = []
for name, call in calls.items():
    try:
        loop.run_until_complete(call())
    except ValueError:
        continue
    except OSError:
        pass
    taken.append(name)
print("taken:", ", ".join(taken))
raise SystemExit(bool(taken))
