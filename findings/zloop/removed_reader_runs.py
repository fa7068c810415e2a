"""zloop: a reader that was removed or replaced in the same batch still runs

Rule:     IO-02, IO-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.remove_reader: stop to watch the file
Expected: one of the two readers, each of which removes the other
Seen:     both
"""

import socket

import zloop

ran = []
loop = zloop.new_event_loop()
pairs = [socket.socketpair() for _ in range(2)]
for i in range(2):

    def ready(mine=pairs[i][0], other=pairs[1 - i][0], number=i):
        ran.append(number)
        mine.recv(8)
        loop.remove_reader(other)

    loop.add_reader(pairs[i][0], ready)
loop.call_soon(lambda: [peer.send(b"x") for _, peer in pairs])
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("ran:", ran)
raise SystemExit(len(ran) != 1)
