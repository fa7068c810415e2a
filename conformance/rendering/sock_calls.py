"""Calls on sockets that a task awaits, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, quoted
from .sockets import bytes_literal, ours, suppressed
from .tasks import awaiting


def sock_recv(script: LoopScript, place: Place, pair: int, count: int) -> Lines:
    return _awaited(script, place, f"loop.sock_recv({ours(script, pair)}, {count})", "recv")


def sock_sendall(script: LoopScript, place: Place, pair: int, count: int) -> Lines:
    data = bytes_literal(count)
    return _awaited(script, place, f"loop.sock_sendall({ours(script, pair)}, {data})", "sendall")


def sock_accept(script: LoopScript, place: Place, pair: int) -> Lines:
    return _awaited(script, place, f"loop.sock_accept({_door(script, pair)})", "accept")


def sock_connect(script: LoopScript, place: Place, pair: int) -> Lines:
    door = _door(script, pair)
    call = f"loop.sock_connect(client, {door}.getsockname())"
    lines = _awaited(script, place, call, "connect")
    if not lines:
        return []
    opened = ["with socket.socket() as client:", "    client.setblocking(False)"]
    return [*opened, *(f"    {line}" for line in lines)]


def create_connection(script: LoopScript, place: Place, pair: int) -> Lines:
    script.needs("asyncio")
    call = f"loop.create_connection(asyncio.Protocol, *{_door(script, pair)}.getsockname())"
    return _awaited(script, place, call, "connection")


def _awaited(script: LoopScript, place: Place, call: str, name: str) -> Lines:
    """What the call returned is printed."""
    if not place.task:
        return []
    script.define(
        "shown",
        "async def shown(name, awaitable):",
        "    result = await awaitable",
        "    print(name, result)",
        "    if isinstance(result, tuple):",
        '        (result[0].abort if hasattr(result[0], "abort") else result[0].close)()',
    )
    return awaiting(script, place, f"shown({quoted(name)}, {call})")


def _door(script: LoopScript, pair: int) -> str:
    script.needs("socket")
    name = f"door{pair}"
    created = f'{name} = socket.create_server(("127.0.0.1", 0))'
    return script.state(name, created, f"{name}.setblocking(False)")


def knock(script: LoopScript, _place: Place, pair: int) -> Lines:
    guests = script.state("guests", "guests = []")
    door = _door(script, pair)
    return [f"{guests}.append(socket.create_connection({door}.getsockname()))"]


def answer(script: LoopScript, _place: Place, pair: int) -> Lines:
    lines = ["while True:", f'    print("there was", {_door(script, pair)}.accept()[1])']
    return suppressed(script, lines)


LINES: Table = {
    "sock_recv": sock_recv,
    "sock_sendall": sock_sendall,
    "sock_accept": sock_accept,
    "sock_connect": sock_connect,
    "create_connection": create_connection,
    "knock": knock,
    "answer": answer,
}
