"""asyncio: a duplicate of a closed socket keeps its reader alive, and the loop spins

Rule:     IO-05
Versions: CPython 3.11 to 3.15, Linux (epoll)
Docs:     epoll(7), questions and answers: an entry goes when the last duplicate is closed, not before
Expected: a reader whose socket was closed is not called, or the loop drops it
Seen:     it is called over and over, and nobody can take it out of the epoll set any more
"""

import asyncio
import socket

calls = []
loop = asyncio.SelectorEventLoop()
ours, peer = socket.socketpair()


loop.add_reader(ours, calls.append, "closed")
kept = ours.dup()
ours.close()
peer.send(b"x")
loop.call_later(0.05, loop.stop)
loop.run_forever()
loop.close()
print("calls of the closed socket's reader:", len(calls))
raise SystemExit(len(calls) > 20)
