"""Actions that send and receive by the sock_* methods, and look at every byte."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from .sock_calls import SockCalls
from .tasks import Walk

_CYCLE = bytes(range(1, 252))
"""Bytes that repeat after a prime number of them, so that shifts are seen; no zero, as in a new buffer."""


def pattern(serial: int, size: int) -> bytes:
    """The bytes of the datagram of that number."""
    start = serial % len(_CYCLE)
    return (_CYCLE[start:] + _CYCLE * (size // len(_CYCLE) + 1))[:size]


class SockMessages(SockCalls):
    """sock_recvfrom, sock_recvfrom_into, sock_sendto, post, carry."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._boxes: dict[int | str, socket.socket] = {}
        self._posted = 0

    def _box(self, number: int | str) -> socket.socket:
        if number not in self._boxes:
            box = self._boxes[number] = socket.socket(type=socket.SOCK_DGRAM)
            box.bind(("127.0.0.1", 0))
            box.setblocking(False)
        return self._boxes[number]

    def _named(self, address: object) -> str:
        """Whose address that is."""
        names = (str(name) for name, box in self._boxes.items() if box.getsockname() == address)
        return next(names, repr(address))

    def _next_datagram(self, size: int) -> tuple[int, bytes]:
        self._posted += 1
        return self._posted, pattern(self._posted, size)

    def do_post(self, box: int, size: int) -> None:
        serial, data = self._next_datagram(size)
        self._box("stranger").sendto(data, self._box(box).getsockname())
        self.note("posted", str(box), sender="stranger", serial=serial, size=size)

    async def step_sock_sendto(self, walk: Walk, box: int, other: int, size: int) -> None:
        serial, data = self._next_datagram(size)
        ours, address = self._box(box), self._box(other).getsockname()
        said = await self._message(walk, "sock_sendto", lambda call: call(ours, data, address))
        if said:
            self.note("posted", str(other), sender=str(box), serial=serial, size=size)
            self.note("sent-to", walk.label, said=said[0], size=size)

    async def step_sock_recvfrom(self, walk: Walk, box: int, count: int) -> None:
        ours = self._box(box)
        said = await self._message(walk, "sock_recvfrom", lambda call: call(ours, count))
        for data, sender in said:
            self._received(box, data, sender, count)

    async def step_sock_recvfrom_into(self, walk: Walk, box: int, room: int, count: int) -> None:
        ours, buffer = self._box(box), bytearray(room)
        said = await self._message(walk, "sock_recvfrom_into", lambda call: call(ours, buffer, count))
        for size, sender in said:
            self._received(box, bytes(buffer[:size]), sender, min(count or room, room))

    def _received(self, box: int, data: bytes, sender: object, most: int) -> None:
        self.note("message-took", str(box), sender=self._named(sender), data=data.hex(), most=most)

    async def _message(
        self, walk: Walk, method: str, make: Callable[[Callable[..., Awaitable[Any]]], Awaitable[Any]]
    ) -> list[Any]:
        """What that method of the loop returns, alone in a list; none, and a note, when it fails."""
        try:
            return [await make(getattr(self.loop, method))]
        except (NotImplementedError, AttributeError) as caught:
            self.note("message-failed", walk.label, error=f"NotImplementedError: {method}(): {caught}")
        except (OSError, ValueError, TypeError) as caught:
            self.note("message-failed", walk.label, error=f"{method}(): {type(caught).__name__}: {caught}")
        return []

    async def step_carry(self, walk: Walk, size: int, count: int, text: str) -> None:
        data, got = pattern(0, size), bytearray()
        ours, peer = socket.socketpair()
        with ours, peer:
            ours.setblocking(False)
            peer.setblocking(False)
            sending = asyncio.ensure_future(
                self._message(walk, "sock_sendall", lambda call: call(ours, data)), loop=self.loop
            )
            while len(got) < size:
                part = await self._part(walk, peer, count, text)
                if not part:
                    break
                got += part
            sending.cancel() if len(got) < size else await sending
        self.note("carried", walk.label, by=text, size=size, got=len(got), same=bytes(got) == data)

    async def _part(self, walk: Walk, peer: socket.socket, count: int, text: str) -> bytes:
        if text == "sock_recv":
            return b"".join(await self._message(walk, text, lambda call: call(peer, count)))
        buffer = bytearray(count)
        filled = await self._message(walk, text, lambda call: call(peer, buffer))
        return bytes(buffer[: sum(filled)])

    def close_boxes(self) -> None:
        for box in self._boxes.values():
            box.close()
