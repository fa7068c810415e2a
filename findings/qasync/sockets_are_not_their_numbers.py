"""qasync: a socket and its number are watched apart

Rule:     IO-02, IO-03, IO-04, IO-06, IO-07, RES-07
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.add_reader, remove_reader: the file is given as a number or as an object with fileno()
Expected: remove_reader(socket.fileno()) removes what add_reader(socket) added
Seen:     it returns False, and the reader is called on
"""

import socket

import PySide6.QtCore
import qasync

app = PySide6.QtCore.QCoreApplication([])
loop = qasync.QEventLoop(app)
ours, peer = socket.socketpair()
calls = []
loop.add_reader(ours, calls.append, 1)
removed = loop.remove_reader(ours.fileno())
peer.send(b"x")
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("removed:", removed, "calls:", len(calls))
loop.close()
raise SystemExit(not removed or bool(calls))
