"""winloop: a timer due in the same poll runs before a reader that is ready

Rule:     ORD-06
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     none; CPython's loop queues the callbacks of files before those of timers
Expected: reader, timer
Seen:     timer, reader
"""

import socket
import time

import winloop

ran = []
loop = winloop.new_event_loop()
ours, peer = socket.socketpair()


def both_become_due():
    loop.call_later(0.0001, ran.append, "timer")
    loop.add_reader(ours.fileno(), lambda: (ran.append("reader"), ours.recv(8)))
    peer.send(b"x")
    time.sleep(0.005)


loop.call_later(0.001, both_become_due)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print(ran)
raise SystemExit(ran != ["reader", "timer"])
