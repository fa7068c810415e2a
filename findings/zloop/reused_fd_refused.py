"""zloop: add_reader() of a reused fd number raises RuntimeError

Rule:     IO-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.add_reader: start to watch the file for being readable
Expected: add_reader on the new socket works, whatever happened to the old owner of its number
Seen:     RuntimeError: zloop: add_reader/writer failed
"""

import os
import socket

import zloop

loop = zloop.new_event_loop()
ours, peer = socket.socketpair()
loop.add_reader(ours.fileno(), print, "old")
number = ours.detach()
os.close(number)
fresh, other = socket.socketpair()
os.dup2(fresh.fileno(), number)
try:
    loop.add_reader(number, print, "new")
except RuntimeError as error:
    print("raised:", error)
    raise SystemExit(1) from None
