"""talyn: create_unix_connection() and create_unix_server() have no argument sock

Rule:     TRN-15, SRV-07
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.create_unix_connection, loop.create_unix_server: path or sock
Expected: a transport over the connected Unix socket that was given
Seen:     TypeError, so that programs that bring their own sockets have no way
"""

import asyncio
import socket

import talyn

loop = talyn.Loop()
ours, theirs = socket.socketpair()
ours.setblocking(False)
refused = None
try:
    transport, _ = loop.run_until_complete(loop.create_unix_connection(asyncio.Protocol, sock=ours))
except TypeError as error:
    refused = error
print("refused:", refused)
raise SystemExit(refused is not None)
