"""An echo by UDP, and a client that asks again when a datagram is lost.

    python -m muxloop run examples/udp_echo.py

It prints:

    echo: hello
    lost once, asked again: lose me
    nobody listens there, as the system said
"""

import asyncio
import socket


class Echo(asyncio.DatagramProtocol):
    """Sends every datagram back to where it came from, but loses the first "lose me"."""

    transport: asyncio.DatagramTransport

    def __init__(self) -> None:
        self.to_lose = [b"lose me"]

    def connection_made(self, transport: asyncio.DatagramTransport) -> None:
        """Remember whom to send by."""
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """A datagram comes whole or not at all."""
        if data in self.to_lose:
            self.to_lose.remove(data)
        else:
            self.transport.sendto(data, addr)


class Asker(asyncio.DatagramProtocol):
    """Puts what comes, and what goes wrong, into a queue."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes | Exception] = asyncio.Queue()

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        """An answer."""
        self.came.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        """The other host said that nobody listens there; the transport stays open."""
        self.came.put_nowait(exc)


async def ask(address: tuple[str, int], question: bytes) -> bytes:
    """The answer; asks every tenth of a second, for a datagram that is lost is lost in silence."""
    loop = asyncio.get_running_loop()
    transport, asker = await loop.create_datagram_endpoint(Asker, remote_addr=address)
    try:
        while True:
            transport.sendto(question)
            try:
                async with asyncio.timeout(0.1):
                    answer = await asker.came.get()
            except TimeoutError:
                continue
            if isinstance(answer, Exception):
                raise answer
            return answer
    finally:
        transport.close()


async def main() -> None:
    """Serve and ask."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Echo, local_addr=("127.0.0.1", 0))
    address = transport.get_extra_info("sockname")
    print("echo:", (await ask(address, b"hello")).decode())
    print("lost once, asked again:", (await ask(address, b"lose me")).decode())
    transport.close()

    with socket.socket(type=socket.SOCK_DGRAM) as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = unused.getsockname()
    try:
        await ask(nobody, b"anybody?")
    except ConnectionError:  # refused on POSIX systems, reset on Windows
        print("nobody listens there, as the system said")


if __name__ == "__main__":
    asyncio.run(main())
