"""uvloop: a reader whose fd was closed aborts the process

Rule:     IO-05
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.add_reader; uvloop #61 tells of the same number used again
Expected: an exception at the most
Seen:     SIGABRT, from an assertion or an abort() of libuv, which finds the number gone from epoll
"""

import os
import signal
import socket

import uvloop

child = os.fork()
if child == 0:
    kept = []
    loop = uvloop.new_event_loop()
    ours, peer = socket.socketpair()
    loop.add_reader(ours.fileno(), lambda: None)

    def close_it():
        kept.append(ours.dup())
        os.close(ours.detach())
        peer.send(b"x")

    loop.call_soon(close_it)
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
