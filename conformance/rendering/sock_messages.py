"""Bytes and datagrams through the sock_* methods, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, quoted
from .sockets import bytes_literal
from .tasks import awaiting

_BOX = """\
def box(number):
    if number not in boxes:
        boxes[number] = socket.socket(type=socket.SOCK_DGRAM)
        boxes[number].bind(("127.0.0.1", 0))
        boxes[number].setblocking(False)
    return boxes[number]"""

_RECEIVED = """\
async def received(number, awaitable):
    data, sender = await awaitable
    names = {each.getsockname(): name for name, each in boxes.items()}
    size = data if isinstance(data, int) else len(data)
    print(f"box {number} got {size} bytes from", names.get(sender, sender))"""

_CARRY = """\
async def carry(size, count, method):
    ours, peer = socket.socketpair()
    with ours, peer:
        ours.setblocking(False)
        peer.setblocking(False)
        data, got = bytes(i % 251 for i in range(size)), bytearray()
        sending = loop.create_task(loop.sock_sendall(ours, data))
        while len(got) < size:
            if method == "sock_recv":
                part = await loop.sock_recv(peer, count)
            else:
                buffer = bytearray(count)
                part = buffer[: await loop.sock_recv_into(peer, buffer)]
            if not part:
                break
            got += part
        await sending
        print(f"{method}: {len(got)} of {size} bytes,", "as sent" if got == data else "changed")"""


def _box(script: LoopScript, number: int | str) -> str:
    script.needs("socket")
    script.state("boxes", "boxes = {}")
    script.define("box", *_BOX.splitlines())
    return f"box({quoted(number) if isinstance(number, str) else number})"


def post(script: LoopScript, _place: Place, number: int, size: int) -> Lines:
    stranger, to = _box(script, "stranger"), _box(script, number)
    return [f"{stranger}.sendto({bytes_literal(size)}, {to}.getsockname())"]


def sock_recvfrom(script: LoopScript, place: Place, number: int, count: int) -> Lines:
    return _receiving(script, place, number, f"loop.sock_recvfrom({_box(script, number)}, {count})")


def sock_recvfrom_into(script: LoopScript, place: Place, number: int, room: int, count: int) -> Lines:
    call = f"loop.sock_recvfrom_into({_box(script, number)}, bytearray({room}), {count})"
    return _receiving(script, place, number, call)


def _receiving(script: LoopScript, place: Place, number: int, call: str) -> Lines:
    script.define("received", *_RECEIVED.splitlines())
    return awaiting(script, place, f"received({number}, {call})")


def sock_sendto(script: LoopScript, place: Place, number: int, other: int, size: int) -> Lines:
    ours, to = _box(script, number), _box(script, other)
    return awaiting(script, place, f"loop.sock_sendto({ours}, {bytes_literal(size)}, {to}.getsockname())")


def carry(script: LoopScript, place: Place, size: int, count: int, text: str) -> Lines:
    script.needs("socket")
    script.define("carry", *_CARRY.splitlines())
    return awaiting(script, place, f"carry({size}, {count}, {quoted(text)})")


LINES: Table = {
    "sock_recvfrom": sock_recvfrom,
    "sock_recvfrom_into": sock_recvfrom_into,
    "sock_sendto": sock_sendto,
    "post": post,
    "carry": carry,
}
