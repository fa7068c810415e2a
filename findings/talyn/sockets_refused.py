"""talyn: add_reader() takes numbers only

Rule:     IO-02, IO-06
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.add_reader: fd is a number or an object with fileno()
Expected: the socket is watched
Seen:     RuntimeError: Invalid file descriptor
"""

import socket

import talyn

loop = talyn.Loop()
ours, peer = socket.socketpair()
error = None
try:
    loop.add_reader(ours, print)
except RuntimeError as caught:
    error = caught
print(repr(error))
raise SystemExit(error is not None)
