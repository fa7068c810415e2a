"""asyncio_gevent: a duplicate of a closed socket keeps its reader alive, and the loop spins

Rule:     IO-05
Versions: asyncio-gevent 0.2.5, gevent 26.9.0, CPython 3.13, Linux
Docs:     epoll(7), questions and answers: an entry goes when the last duplicate is closed, not before
Expected: a reader whose socket was closed is not called, or the loop drops it
Seen:     it is called over and over
"""

import socket

import asyncio_gevent

loop = asyncio_gevent.EventLoop()
calls = []
ours, peer = socket.socketpair()
loop.add_reader(ours, calls.append, "closed")
kept = ours.dup()
loop.call_later(0.01, ours.close)
loop.call_later(0.02, peer.send, b"x")
loop.call_later(0.1, loop.stop)
loop.run_forever()
print("calls of the closed socket's reader:", len(calls))
raise SystemExit(len(calls) > 20)
