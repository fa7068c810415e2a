"""A TCP echo server, written against asyncio alone.

    python -m muxloop run examples/echo_server.py [--host HOST] [--port N] [--connections N]

It prints the address it serves on; with --connections it serves that many connections and ends.
"""

import argparse
import asyncio


async def serve(host: str, port: int, connections: int | None) -> None:
    """Serve until interrupted, or until the last of ``connections`` was closed."""
    open_or_to_come = connections
    finished = asyncio.Event()

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal open_or_to_come
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # the client is gone, which is its own affair
        finally:
            writer.close()
            if open_or_to_come is not None:
                open_or_to_come -= 1
                if not open_or_to_come:
                    finished.set()

    server = await asyncio.start_server(echo, host, port)
    address = server.sockets[0].getsockname()
    print(f"serving on {address[0]}:{address[1]}", flush=True)
    async with server:
        await finished.wait()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A TCP echo server on asyncio.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    parser.add_argument("--connections", type=int, help="end after this many connections")
    options = parser.parse_args()
    asyncio.run(serve(options.host, options.port, options.connections))


if __name__ == "__main__":
    main()
