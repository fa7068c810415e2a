"""Calls that contradict themselves, and servers that are used after their end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from ..vocabulary.contradictions import CONTRADICTIONS
from .lifecycle import LifeCycle

ANSWER_S = 1.0
"""A call that was taken, and goes on for so long (times the tolerance), is given up."""


class Contradictions(LifeCycle):
    """contradict, serve_afterwards."""

    def do_contradict(self, text: str) -> None:
        wrong = CONTRADICTIONS[text]
        with _socket(wrong.keywords.get("sock")) as sock:
            keywords = {**wrong.keywords, "sock": sock} if sock is not None else wrong.keywords
            protocol = asyncio.DatagramProtocol if "datagram" in wrong.method else asyncio.Protocol

            async def call() -> None:
                made = await getattr(self.loop, wrong.method)(protocol, **keywords)
                await _dropped(made)

            self.note("contradicted", text, error=self._raised_by(call))

    def do_serve_afterwards(self, text: str) -> None:
        async def call() -> None:
            server = await self.loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
            server.close()
            await getattr(server, text)()

        self.note("served-afterwards", text, error=self._raised_by(call))

    def _raised_by(self, call: Callable[[], Coroutine[Any, Any, None]]) -> str | None:
        """What it raised, None if nothing; "nothing, in time" for what has to be given up."""

        async def whole() -> str | None:
            calling = asyncio.ensure_future(call(), loop=self.loop)
            done, late = await asyncio.wait([calling], timeout=ANSWER_S * self.tolerance)
            if late:
                calling.cancel()
                await asyncio.wait(late, timeout=ANSWER_S)
            for task in done:
                error = task.exception()
                return None if error is None else f"{type(error).__name__}: {error}"
            return "nothing, in time"

        try:
            return self.loop.run_until_complete(whole())
        except Exception as caught:
            return f"{type(caught).__name__}: {caught}"


async def _dropped(made: Any) -> None:
    """Close the server, or the transport of the pair, that was made."""
    if isinstance(made, tuple):
        made[0].abort()
    else:
        made.close()
    await asyncio.sleep(0)


@contextlib.contextmanager
def _socket(kind: str | None) -> Any:
    """A fresh socket of that kind, closed after; None when there is to be none."""
    if kind is None:
        yield None
        return
    family = socket.AF_UNIX if kind == "a Unix stream" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if "datagram" in kind else socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        yield sock
