"""An aiohttp client asks a Flask server, which runs in threads of the same process.

    python -m muxloop run examples/aiohttp_and_flask.py

It prints:

    9 answers, in the order of the questions: True
    the sum of the squares: 285
    an unknown page: 404
    the server's own failure: 500
    the server has stopped
"""

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from flask import Flask, Response, jsonify
from werkzeug.serving import make_server

app = Flask(__name__)


@app.get("/square/<int:number>")
def square(number: int) -> Response:
    """The square of a number, as JSON."""
    return jsonify(number=number, square=number**2)


@app.get("/broken")
def broken() -> Response:
    """Fail."""
    raise RuntimeError("broken on purpose")


@contextmanager
def served() -> Iterator[str]:
    """The address of the server while it runs, a thread per connection."""
    for logger in (logging.getLogger("werkzeug"), app.logger):
        logger.setLevel(logging.CRITICAL)  # both would write about each request
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


async def ask(session: aiohttp.ClientSession, number: int) -> dict[str, int]:
    """What the server answers about a number."""
    async with session.get(f"/square/{number}") as response:
        answer: dict[str, int] = await response.json()
        return answer


async def status(session: aiohttp.ClientSession, path: str) -> int:
    """The status of a page."""
    async with session.get(path) as response:
        return response.status


async def main(address: str) -> None:
    """Ask for all at the same time."""
    async with aiohttp.ClientSession(address) as session:
        answers = await asyncio.gather(*(ask(session, number) for number in range(1, 10)))
        in_order = [answer["number"] for answer in answers] == list(range(1, 10))
        print(f"{len(answers)} answers, in the order of the questions: {in_order}")
        print("the sum of the squares:", sum(answer["square"] for answer in answers))
        print("an unknown page:", await status(session, "/nowhere"))
        print("the server's own failure:", await status(session, "/broken"))


if __name__ == "__main__":
    with served() as address:
        asyncio.run(main(address))
    print("the server has stopped")
