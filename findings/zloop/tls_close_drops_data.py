"""zloop: close() under TLS drops what was written before it when the peer sends something more

Rule:     TLS-05
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     BaseTransport.close: buffered data will be flushed, then connection_lost(None) is called
Expected: the peer gets all that was written, connection_lost(None) is told
Seen:     connection_lost(SSLError: application data after close notify); the rest is lost
"""

import asyncio
import contextlib
import socket
import ssl

import zloop

SIZE = 4_000_000


def anonymous(side):
    context = ssl.SSLContext(side)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH:@SECLEVEL=0")  # needs no certificate
    return context


class Client(asyncio.Protocol):
    def connection_lost(self, error):
        print("connection_lost:", error)


def serve(sock):
    with contextlib.suppress(OSError), sock:
        peer = anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(sock, server_side=True)
        peer.recv(1)
        peer.send(b"one more word")
        received = 1
        while data := peer.recv(65536):
            received += len(data)
        return received
    return 0


async def main():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    peer = asyncio.create_task(asyncio.to_thread(serve, theirs))
    transport, _ = await asyncio.get_running_loop().create_connection(
        Client, sock=ours, ssl=anonymous(ssl.PROTOCOL_TLS_CLIENT), server_hostname=""
    )
    transport.write(bytes(SIZE))
    transport.close()
    received = await peer
    print("written:", SIZE, "received:", received)
    return received < SIZE


loop = zloop.new_event_loop()
raise SystemExit(loop.run_until_complete(main()))
