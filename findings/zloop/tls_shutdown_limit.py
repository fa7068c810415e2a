"""zloop: under TLS, close() waits for the peer longer than ssl_shutdown_timeout

Rule:     TLS-04
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     loop.create_connection: the connection is aborted when the shutdown takes longer than that
Expected: connection_lost() is called 0.1 s after close(), though the peer does not answer it
Seen:     it is not called within 2 s
"""

import asyncio
import socket
import ssl
import threading

import zloop


def anonymous(side):
    context = ssl.SSLContext(side)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AECDH:@SECLEVEL=0")  # needs no certificate
    return context


def serve(sock, enough):
    with anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(sock, server_side=True):
        enough.wait(10)


class Client(asyncio.Protocol):
    def __init__(self, lost):
        self.lost = lost

    def connection_lost(self, error):
        print("connection_lost:", repr(error))
        self.lost.set()


async def main():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    enough, lost = threading.Event(), asyncio.Event()
    threading.Thread(target=serve, args=[theirs, enough], daemon=True).start()
    transport, _ = await asyncio.get_running_loop().create_connection(
        lambda: Client(lost),
        sock=ours,
        ssl=anonymous(ssl.PROTOCOL_TLS_CLIENT),
        server_hostname="",
        ssl_shutdown_timeout=0.1,
    )
    transport.close()
    try:
        await asyncio.wait_for(lost.wait(), 2)
    except TimeoutError:
        print("no connection_lost within 2 s")
        return True
    finally:
        enough.set()
    return False


loop = zloop.new_event_loop()
raise SystemExit(loop.run_until_complete(main()))
