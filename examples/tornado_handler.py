"""Tornado: request handlers, a WebSocket and Tornado's own client, with a thread for what blocks.

    python -m muxloop run examples/tornado_handler.py

It prints:

    GET /hello/world: 200 Hello, world!
    POST /sum: 200 {"sum": 6}
    GET /slow: 200 [0, 1, 2, 3, 4] from a thread, while 'quick' was served
    GET /chunks: 200 in pieces: one two three
    GET /fail: 500
    WebSocket: 'ping' and b'bytes' came back in capitals
    a periodic callback ticked 3 times
"""

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable
from typing import Any

from tornado import gen, httpclient, httpserver, ioloop, netutil, web, websocket


class Hello(web.RequestHandler):
    """Greets whoever is named in the path."""

    def get(self, name: str) -> None:
        """Answer at once."""
        self.write(f"Hello, {name}!")


class Sum(web.RequestHandler):
    """Adds up what is sent."""

    def post(self) -> None:
        """Take a list in JSON, give an object."""
        self.write({"sum": sum(json.loads(self.request.body))})


class Slow(web.RequestHandler):
    """Blocks in a thread until another request was served."""

    quick_was_served = threading.Event()

    async def get(self) -> None:
        """Wait for the thread."""
        await ioloop.IOLoop.current().run_in_executor(None, self.quick_was_served.wait)
        self.write(json.dumps(list(range(5))))


class Quick(web.RequestHandler):
    """Is served while the slow one waits."""

    def get(self) -> None:
        """Let the slow one go on."""
        Slow.quick_was_served.set()
        self.write("quick")


class Chunks(web.RequestHandler):
    """Sends piece by piece, in a coroutine of Tornado's own kind."""

    @gen.coroutine
    def get(self) -> Any:
        """Flush each piece."""
        for word in ("one", "two", "three"):
            self.write(f" {word}")
            yield self.flush()
            yield gen.sleep(0.001)


class Fail(web.RequestHandler):
    """Raises."""

    def get(self) -> None:
        """Become a 500."""
        raise ZeroDivisionError("on purpose")


class Loud(websocket.WebSocketHandler):
    """Sends back in capitals what it receives."""

    def on_message(self, message: str | bytes) -> Awaitable[None]:
        """Text stays text, bytes stay bytes."""
        return self.write_message(message.upper(), binary=isinstance(message, bytes))


async def talk(port: int) -> None:
    """Ask the server for everything it has."""
    base = f"http://127.0.0.1:{port}"
    client = httpclient.AsyncHTTPClient()

    answer = await client.fetch(f"{base}/hello/world")
    print(f"GET /hello/world: {answer.code} {answer.body.decode()}")
    answer = await client.fetch(f"{base}/sum", method="POST", body="[1, 2, 3]")
    print(f"POST /sum: {answer.code} {answer.body.decode()}")
    slow, quick = await gen.multi([client.fetch(f"{base}/slow"), client.fetch(f"{base}/quick")])
    print(
        f"GET /slow: {slow.code} {slow.body.decode()} from a thread, while {quick.body.decode()!r} was served"
    )
    pieces: list[bytes] = []
    answer = await client.fetch(f"{base}/chunks", streaming_callback=pieces.append)
    print(f"GET /chunks: {answer.code} in pieces:{b''.join(pieces).decode()}")
    answer = await client.fetch(f"{base}/fail", raise_error=False)
    print(f"GET /fail: {answer.code}")

    connection = await websocket.websocket_connect(f"ws://127.0.0.1:{port}/loud")
    echoes = []
    for message in ("ping", b"bytes"):
        await connection.write_message(message, binary=isinstance(message, bytes))
        echoes.append(await connection.read_message())
    connection.close()
    assert await connection.read_message() is None
    assert echoes == ["PING", b"BYTES"]
    print("WebSocket: 'ping' and b'bytes' came back in capitals")
    client.close()


async def tick(times: int) -> None:
    """Wait until a periodic callback has ticked so often."""
    ticks = 0
    enough = asyncio.Event()

    def count() -> None:
        nonlocal ticks
        ticks += 1
        if ticks == times:
            periodic.stop()
            enough.set()

    periodic = ioloop.PeriodicCallback(count, 1)  # milliseconds
    periodic.start()
    await enough.wait()
    print(f"a periodic callback ticked {ticks} times")


async def main() -> None:
    """Serve and ask on one loop."""
    logging.getLogger("tornado").setLevel(logging.CRITICAL)  # the failure is on purpose
    app = web.Application(
        [
            (r"/hello/(\w+)", Hello),
            (r"/sum", Sum),
            (r"/slow", Slow),
            (r"/quick", Quick),
            (r"/chunks", Chunks),
            (r"/fail", Fail),
            (r"/loud", Loud),
        ]
    )
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    server = httpserver.HTTPServer(app)
    server.add_sockets(sockets)
    await talk(sockets[0].getsockname()[1])
    await tick(3)
    server.stop()
    await server.close_all_connections()


if __name__ == "__main__":
    asyncio.run(main())
