"""Calls that contradict themselves, and servers that are used after their end, as lines of a script."""

from __future__ import annotations

from ..vocabulary.contradictions import CONTRADICTIONS
from .scheduling import LoopScript
from .script import Lines, Place, Table

_MADE = {
    "a stream": "socket.socket()",
    "a Unix stream": "socket.socket(socket.AF_UNIX)",
    "a datagram socket": "socket.socket(type=socket.SOCK_DGRAM)",
}
_SHOW = """\
async def show(call, *arguments, **options):
    try:
        print(call.__name__, "returned", await asyncio.wait_for(call(*arguments, **options), 1))
    except Exception as error:
        print(call.__name__, repr(error))"""
_AFTERWARDS = """\
async def closed_server():
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    server.close()
    return server"""


def contradict(script: LoopScript, _place: Place, text: str) -> Lines:
    script.needs("asyncio")
    script.define("show", *_SHOW.splitlines())
    wrong = CONTRADICTIONS[text]
    protocol = "asyncio.DatagramProtocol" if "datagram" in wrong.method else "asyncio.Protocol"
    options = {name: _literal(value) for name, value in wrong.keywords.items()}
    lines: Lines = []
    if "sock" in options:
        script.needs("socket")
        lines = [f"sock = {_MADE[wrong.keywords['sock']]}", "sock.setblocking(False)"]
        options["sock"] = "sock"
    lines.append(f"options = dict({', '.join(f'{name}={value}' for name, value in options.items())})")
    return [*lines, f"loop.run_until_complete(show(loop.{wrong.method}, {protocol}, **options))"]


def _literal(value: object) -> str:
    return repr(value).replace("'", '"')


def serve_afterwards(script: LoopScript, _place: Place, text: str) -> Lines:
    script.needs("asyncio")
    script.define("show", *_SHOW.splitlines())
    script.define("closed_server", *_AFTERWARDS.splitlines())
    return [
        "server = loop.run_until_complete(closed_server())",
        f"loop.run_until_complete(show(server.{text}))",
    ]


LINES: Table = {"contradict": contradict, "serve_afterwards": serve_afterwards}
