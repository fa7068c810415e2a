"""asyncio_gevent: a socket that has the number of a closed one is never watched

Rule:     IO-06
Versions: asyncio-gevent 0.2.5, gevent 26.9.0, CPython 3.13, Linux
Docs:     loop.add_reader
Expected: the reader of the new socket is called
Seen:     it is not: the watcher of the closed one is kept, and epoll never hears of the new one
"""

import socket

import asyncio_gevent

loop = asyncio_gevent.EventLoop()
calls = []
ours, peer = socket.socketpair()
loop.add_reader(ours, print)


def replace():
    number = ours.fileno()
    ours.close()
    new, other = socket.socketpair()
    if new.fileno() != number:
        new, other = other, new
    kept.extend([new, other])
    loop.add_reader(new, lambda: (calls.append(1), new.recv(1)))
    loop.call_later(0.01, other.send, b"x")


kept = []
loop.call_later(0.01, replace)
loop.call_later(0.1, loop.stop)
loop.run_forever()
print("calls:", len(calls))
raise SystemExit(not calls)
