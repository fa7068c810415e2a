"""asyncio: a reader of a reused fd number is never called

Rule:     IO-06
Versions: CPython 3.11 to 3.15, Linux (epoll); twisted #12681 is the same in Twisted
Docs:     loop.add_reader: start to watch the file for being readable
Expected: add_reader on the new socket works, whatever happened to the old owner of its number
Seen:     the selector still has the old one's key, and epoll never hears of the new file
"""

import asyncio
import os
import socket

calls = []
loop = asyncio.SelectorEventLoop()
ours, peer = socket.socketpair()
loop.add_reader(ours, calls.append, "old")
number = ours.detach()
os.close(number)
fresh, other = socket.socketpair()
os.dup2(fresh.fileno(), number)
loop.add_reader(number, calls.append, "new")
other.send(b"x")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("calls of the new reader:", len(calls))
raise SystemExit("new" not in calls)
