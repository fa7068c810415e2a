"""talyn: close() under TLS, while reading is paused and data has come, never ends the connection

Rule:     TLS-05
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     BaseTransport.close: buffered data will be flushed, then connection_lost(None) is called
Expected: connection_lost() is told
Seen:     it is not
"""

import asyncio
import contextlib
import socket
import ssl

import talyn


def anonymous(side):
    context = ssl.SSLContext(side)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH:@SECLEVEL=0")  # needs no certificate
    return context


class Client(asyncio.Protocol):
    lost = False

    def connection_lost(self, error):
        self.lost = True


def serve(sock):
    with contextlib.suppress(OSError), sock:
        sock.settimeout(3)
        peer = anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(sock, server_side=True)
        peer.recv(1)
        peer.send(bytes(60000))
        while peer.recv(65536):
            pass


async def main():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    peer = asyncio.create_task(asyncio.to_thread(serve, theirs))
    transport, client = await asyncio.get_running_loop().create_connection(
        Client, sock=ours, ssl=anonymous(ssl.PROTOCOL_TLS_CLIENT), server_hostname=""
    )
    transport.pause_reading()
    transport.write(b"x")
    await asyncio.sleep(0.2)
    transport.close()
    await asyncio.sleep(1.5)
    print("connection_lost was told:", client.lost)
    transport.abort()
    await peer
    return not client.lost


loop = talyn.Loop()
raise SystemExit(loop.run_until_complete(main()))
