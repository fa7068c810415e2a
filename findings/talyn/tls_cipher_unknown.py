"""talyn: get_extra_info("cipher") is not what the SSL object says

Rule:     TLS-08
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     BaseTransport.get_extra_info: 'cipher' is the value returned by ssl.SSLSocket.cipher()
Expected: both are the same
Seen:     None
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


def serve(sock):
    with contextlib.suppress(OSError), sock:
        anonymous(ssl.PROTOCOL_TLS_SERVER).wrap_socket(sock, server_side=True).recv(1)


async def main():
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    peer = asyncio.create_task(asyncio.to_thread(serve, theirs))
    transport, _ = await asyncio.get_running_loop().create_connection(
        asyncio.Protocol, sock=ours, ssl=anonymous(ssl.PROTOCOL_TLS_CLIENT), server_hostname=""
    )
    said = transport.get_extra_info("cipher")
    wanted = transport.get_extra_info("ssl_object").cipher()
    transport.abort()
    await peer
    print("cipher:", said, "of the SSL object:", wanted)
    return said != wanted


loop = talyn.Loop()
raise SystemExit(loop.run_until_complete(main()))
