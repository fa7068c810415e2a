"""rloop: get_write_buffer_size() in pause_writing aborts the process

Rule:     TRN-02, TRN-03, TRN-04, TRN-07, TRN-08, TRN-09, TRN-10, TRN-11
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     WriteTransport.get_write_buffer_size; BaseProtocol.pause_writing
Expected: the number of bytes in the buffer
Seen:     a panic (what the transport lends to write() is borrowed again), and SIGABRT
"""

import asyncio
import os
import signal
import socket

import rloop


class Writer(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def pause_writing(self):
        print("bytes in the buffer:", self.transport.get_write_buffer_size())


async def main():
    ours, _peer = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(Writer, sock=ours)
    transport.write(bytes(1_000_000))


child = os.fork()
if child == 0:
    rloop.new_event_loop().run_until_complete(main())
    os._exit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
