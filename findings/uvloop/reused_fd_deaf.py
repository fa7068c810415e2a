"""uvloop: a reader of a reused fd number is never called

Rule:     IO-06
Versions: uvloop 0.23.0, CPython 3.13, Linux; libuv #826
Docs:     loop.add_reader: start to watch the file for being readable
Expected: add_reader on the new socket works, whatever happened to the old owner of its number
Seen:     the handle of the old file is kept, and epoll never hears of the new one
"""

import os
import socket

import uvloop

calls = []
loop = uvloop.new_event_loop()
ours, peer = socket.socketpair()
loop.add_reader(ours.fileno(), calls.append, "old")
loop.call_later(0.01, loop.stop)
loop.run_forever()
number = ours.detach()
os.close(number)
fresh, other = socket.socketpair()
os.dup2(fresh.fileno(), number)
loop.add_reader(number, lambda: (calls.append("new"), os.read(number, 8)))
other.send(b"x")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("calls of the new reader:", len(calls))
raise SystemExit("new" not in calls)
