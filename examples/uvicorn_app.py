"""A small ASGI application served by uvicorn, which knows nothing of the event loop under it.

    python -m muxloop run examples/uvicorn_app.py [--port N]

It prints the address it serves on and serves until interrupted.
"""

import argparse
import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Greet whoever is named in the path."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    name = scope["path"].strip("/") or "world"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"Hello, {name}!\n".encode()})


async def serve(port: int) -> None:
    """Serve until interrupted."""
    listener = socket.create_server(("127.0.0.1", port))
    print(f"serving on 127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await uvicorn.Server(uvicorn.Config(app, log_level="warning")).serve(sockets=[listener])


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A small ASGI application on uvicorn.")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    try:  # noqa: SIM105
        asyncio.run(serve(parser.parse_args().port))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
