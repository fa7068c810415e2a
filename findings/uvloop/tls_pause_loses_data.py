"""uvloop: under TLS, what came while reading was paused is lost when the peer goes

Rule:     TLS-09
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     ReadTransport.pause_reading: no data is passed to data_received() until resume_reading()
Expected: after resume_reading() the data is delivered, then connection_lost() called, as on CPython's loop
Seen:     connection_lost() is called, and the data is gone
"""

import asyncio
import socket
import ssl
import threading

import uvloop


def anonymous(side):
    context = ssl.SSLContext(side)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH:@SECLEVEL=0")  # needs no certificate
    return context


class Client(asyncio.Protocol):
    received = b""

    def data_received(self, data):
        self.received += data


def serve(sock, paused):
    with anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(sock, server_side=True) as peer:
        paused.wait()
        peer.send(b"some words")


async def main():
    ours, theirs = socket.socketpair()
    paused = threading.Event()
    peer = asyncio.create_task(asyncio.to_thread(serve, theirs, paused))
    transport, client = await asyncio.get_running_loop().create_connection(
        Client, sock=ours, ssl=anonymous(ssl.PROTOCOL_TLS_CLIENT), server_hostname=""
    )
    transport.pause_reading()
    paused.set()
    await peer
    await asyncio.sleep(0.05)
    transport.resume_reading()
    await asyncio.sleep(0.05)
    print("received:", client.received)
    return client.received != b"some words"


raise SystemExit(uvloop.run(main()))
