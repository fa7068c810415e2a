"""A small aiohttp application, written against aiohttp and asyncio alone.

    python -m muxloop run examples/aiohttp_server.py [--port N]

It prints the address it serves on and serves until interrupted.
"""

import argparse
import asyncio

from aiohttp import web


async def hello(request: web.Request) -> web.Response:
    """Greet whoever is named in the path."""
    return web.Response(text=f"Hello, {request.match_info.get('name', 'world')}!\n")


async def serve(port: int) -> None:
    """Serve until cancelled."""
    app = web.Application()
    app.add_routes([web.get("/", hello), web.get("/{name}", hello)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        host, bound = runner.addresses[0][:2]
        print(f"serving on {host}:{bound}", flush=True)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description="A small aiohttp application.")
    parser.add_argument("--port", type=int, default=0, help="0, the default: any free port")
    try:  # noqa: SIM105
        asyncio.run(serve(parser.parse_args().port))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
