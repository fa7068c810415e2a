"""zloop: a duplicate of a closed socket keeps its reader alive, and the loop spins

Rule:     IO-05
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     epoll(7), questions and answers: an entry goes when the last duplicate is closed, not before
Expected: a reader whose socket was closed is not called, or the loop drops it
Seen:     it is called over and over
"""

import socket

import zloop

calls = []
loop = zloop.new_event_loop()
ours, peer = socket.socketpair()
loop.add_reader(ours, calls.append, "closed")
kept = ours.dup()
ours.close()
peer.send(b"x")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("calls of the closed socket's reader:", len(calls))
raise SystemExit(len(calls) > 20)
