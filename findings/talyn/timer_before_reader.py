"""talyn: timers that are due go before files that are ready

Rule:     ORD-06
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; CPython's loop looks at files first, and queues what is due behind
Expected: reader, timer
Seen:     timer, reader
"""

import socket
import time

import talyn

loop = talyn.Loop()
ran = []
ours, peer = socket.socketpair()


def arm():
    loop.call_later(0.0001, ran.append, "timer")
    loop.add_reader(ours.fileno(), lambda: (ran.append("reader"), loop.remove_reader(ours.fileno())))
    peer.send(b"x")
    time.sleep(0.005)


loop.call_soon(arm)
loop.call_later(0.1, loop.stop)
loop.run_forever()
print(*ran, sep=", ")
raise SystemExit(ran != ["reader", "timer"])
