"""winloop: remove_reader() of a file that nobody watches returns None

Rule:     IO-03
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.remove_reader: returns True if the file was monitored before, False otherwise
Expected: False
Seen:     None
"""

import socket

import winloop

loop = winloop.new_event_loop()
ours, peer = socket.socketpair()
said = loop.remove_reader(ours.fileno())
loop.close()
print("returned:", said)
raise SystemExit(said is not False)
