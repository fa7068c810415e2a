"""uvloop: remove_reader() of a file that nobody watches returns None

Rule:     IO-03
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     loop.remove_reader: returns True if the file was monitored before, False otherwise
Expected: False
Seen:     None
"""

import socket

import uvloop

loop = uvloop.new_event_loop()
ours, peer = socket.socketpair()
said = loop.remove_reader(ours.fileno())
loop.close()
print("returned:", said)
raise SystemExit(said is not False)
