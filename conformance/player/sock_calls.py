"""Actions that await calls on sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from .sockets import Watching
from .tasks import Tasks, Walk


class SockCalls(Tasks, Watching):
    """sock_recv, sock_sendall, sock_accept, sock_connect, create_connection, knock, answer."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._doors: dict[int, socket.socket] = {}
        self._guests: list[socket.socket] = []
        self._receiving: dict[str, int] = {}

    async def step_sock_recv(self, walk: Walk, pair: int, count: int) -> None:
        ours = self.pair(pair).ours
        self._receiving[walk.label] = pair
        try:
            await self._await_call(walk, "sock_recv", pair, lambda call: call(ours, count), len)
        finally:
            del self._receiving[walk.label]

    def do_cancel_task(self, label: str, text: str | None = None) -> None:
        """What a sock_recv() has not taken by now, its task is cancelled without: so it is counted first."""
        pair = self._receiving.get(label)
        if pair is not None:
            self.note("unread", label, count=self._unread(pair))
        super().do_cancel_task(label, text)

    def _unread(self, pair: int) -> int:
        ours = self.pair(pair).ours
        if not isinstance(ours, socket.socket):
            return 0
        try:
            return len(ours.recv(1 << 16, socket.MSG_PEEK))
        except OSError:
            return 0

    async def step_sock_sendall(self, walk: Walk, pair: int, count: int) -> None:
        ours = self.pair(pair).ours
        await self._await_call(walk, "sock_sendall", pair, lambda call: call(ours, b"x" * count))

    async def step_sock_accept(self, walk: Walk, pair: int) -> None:
        door = self._door_of(pair)
        await self._await_call(walk, "sock_accept", pair, lambda call: call(door), self._welcome)

    async def step_sock_connect(self, walk: Walk, pair: int) -> None:
        address = self._door_of(pair).getsockname()
        with socket.socket() as client:
            client.setblocking(False)
            await self._await_call(walk, "sock_connect", pair, lambda call: call(client, address))

    async def step_create_connection(self, walk: Walk, pair: int) -> None:
        host, port = self._door_of(pair).getsockname()

        def connected(made: tuple[asyncio.Transport, asyncio.Protocol]) -> None:
            made[0].abort()

        await self._await_call(
            walk, "create_connection", pair, lambda call: call(asyncio.Protocol, host, port), connected
        )

    async def _await_call(
        self,
        walk: Walk,
        method: str,
        pair: int,
        make: Callable[[Callable[..., Awaitable[Any]]], Awaitable[Any]],
        seen: Callable[[Any], Any] = lambda _: None,
    ) -> None:
        """Await that method of the loop; what came of it is noted, an OSError is forgotten then."""
        how, result, error = "returned", None, None
        self.note("sock-entered", walk.label, method=method, pair=pair)
        try:
            result = seen(await make(getattr(self.loop, method)))
        except asyncio.CancelledError:
            how = "cancelled"
            raise
        except (NotImplementedError, AttributeError) as caught:
            how, error = "refused", f"NotImplementedError: {method}(): {caught}"
        except OSError as caught:
            how, error = "failed", f"{type(caught).__name__}: {caught}"
        finally:
            self.note("sock-left", walk.label, method=method, pair=pair, how=how, count=result, error=error)

    def _welcome(self, accepted: tuple[socket.socket, Any]) -> int:
        accepted[0].close()
        return 1

    def _door_of(self, pair: int) -> socket.socket:
        if pair not in self._doors:
            door = self._doors[pair] = socket.create_server(("127.0.0.1", 0))
            door.setblocking(False)
        return self._doors[pair]

    def do_knock(self, pair: int) -> None:
        """The kernel connects the client at once: nobody has to accept for that."""
        self._guests.append(socket.create_connection(self._door_of(pair).getsockname(), 5))
        self.note("knocked", str(pair))

    def do_answer(self, pair: int) -> None:
        count = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                self._door_of(pair).accept()[0].close()
                count += 1
        self.note("answered", str(pair), count=count)

    def close_doors(self) -> None:
        for end in (*self._doors.values(), *self._guests):
            end.close()
