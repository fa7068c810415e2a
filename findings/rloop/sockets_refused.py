"""rloop: add_reader() refuses sockets

Rule:     IO-02, IO-06
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     Watching file descriptors: fd is an integer or an object with fileno()
Expected: the socket is watched
Seen:     TypeError
"""

import socket

import rloop

loop = rloop.new_event_loop()
ours, peer = socket.socketpair()
try:
    loop.add_reader(ours, print)
except TypeError as error:
    print("raised:", error)
    raise SystemExit(1) from None
