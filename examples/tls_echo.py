r"""An echo over TLS, who is not trusted, and a connection that turns to TLS in its midst.

    python -m muxloop run examples/tls_echo.py

It prints:

    over TLS: hello
    not trusted: refused, OpenSSL's code 18
    another name: refused, OpenSSL's code 62
    in clear, and then over TLS: hello again

The certificate in localhost.pem is good for nothing else; it was made by

    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost -keyout key.pem -out certificate.pem
"""

import asyncio
import ssl
from pathlib import Path

PEM = Path(__file__).with_name("localhost.pem")
"""The server's key and its certificate, which is the one that its clients trust, too."""


def server_context() -> ssl.SSLContext:
    """Who we are."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(PEM)
    return context


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, to the end of it; the line "STARTTLS" turns to TLS."""
    try:
        while line := await reader.readline():
            writer.write(line)
            await writer.drain()
            if line == b"STARTTLS\n":
                await writer.start_tls(server_context())
    finally:
        writer.close()


async def ask(writer: asyncio.StreamWriter, reader: asyncio.StreamReader, line: str) -> str:
    """What the server answers to a line."""
    writer.write(line.encode() + b"\n")
    return (await reader.readline()).decode().rstrip()


async def main() -> None:
    """Serve and ask."""
    trusting = ssl.create_default_context(cafile=PEM)
    over_tls = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=server_context())
    in_clear = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with over_tls, in_clear:
        address = over_tls.sockets[0].getsockname()
        # The name is what the certificate is held to, whatever address was connected to.
        reader, writer = await asyncio.open_connection(*address, ssl=trusting, server_hostname="localhost")
        print("over TLS:", await ask(writer, reader, "hello"))
        writer.close()
        await writer.wait_closed()

        stranger = ssl.create_default_context()
        for label, context, name in [
            ("not trusted", stranger, "localhost"),
            ("another name", trusting, "example.org"),
        ]:
            try:
                await asyncio.open_connection(*address, ssl=context, server_hostname=name)
            except ssl.SSLCertVerificationError as error:
                print(f"{label}: refused, OpenSSL's code {error.verify_code}")

        reader, writer = await asyncio.open_connection(*in_clear.sockets[0].getsockname())
        await ask(writer, reader, "STARTTLS")
        await writer.start_tls(trusting, server_hostname="localhost")
        print("in clear, and then over TLS:", await ask(writer, reader, "hello again"))
        writer.close()
        await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
