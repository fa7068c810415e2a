"""qasync: what a ready file calls is put behind timers that are due

Rule:     ORD-06, ORD-07
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     none; CPython's loop queues what is due behind what files call, readers before writers
Expected: reader, writer, timer
Seen:     the timer comes first
"""

import socket
import time

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
ran = []
ours, peer = socket.socketpair()


def watch():
    loop.call_later(0.001, ran.append, "timer")
    loop.add_reader(ours, lambda: (ran.append("reader"), loop.remove_reader(ours)))
    peer.send(b"x")
    time.sleep(0.01)


loop.call_soon(watch)
loop.call_later(0.1, loop.stop)
loop.run_forever()
print(*ran, sep=", ")
loop.close()
raise SystemExit(ran != ["reader", "timer"])
