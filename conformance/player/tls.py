"""Actions that connect by TLS."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from typing import Any

from .connections import Link, connected, talker
from .tls_peer import ANSWER, GREETING, TlsPeer, client_context, server_context
from .transports import Transports

_LOOK_EACH_S = 0.002


@dataclass
class Plan:
    """What a TLS connection will be like."""

    manner: str = "sound"
    limits: dict[str, Any] = field(default_factory=dict)
    """Time limits by their names as arguments, in seconds; the loop's own without any."""


class _Plain(asyncio.Protocol):
    """Hears what the peer says before start_tls."""

    def __init__(self, greeted: asyncio.Future[None]) -> None:
        self._left, self._greeted = len(GREETING), greeted

    def data_received(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left <= 0 and not self._greeted.done():
            self._greeted.set_result(None)


class Tls(Transports):
    """tls_peer, tls_limits, tls_link."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tls_plans: dict[int, Plan] = {}

    def _tls_plan(self, pair: int) -> Plan:
        return self._tls_plans.setdefault(pair, Plan())

    def do_tls_peer(self, pair: int, text: str) -> None:
        self._tls_plan(pair).manner = text

    def do_tls_limits(self, pair: int, handshake_ms: float, shutdown_ms: float) -> None:
        self._tls_plan(pair).limits = {
            "ssl_handshake_timeout": handshake_ms / 1000,
            "ssl_shutdown_timeout": shutdown_ms / 1000,
        }

    def do_tls_link(self, pair: int, text: str) -> None:
        link, plan = self.link(pair), self._tls_plan(pair)
        if link.way:
            return
        link.way = f"tls {text}"
        said: dict[str, Any] = {}
        if plan.manner in ("sound", "tls 1.2", "rude"):
            self.expect(f"connection_made of {pair}")

        async def connect() -> str:
            if text == "server":
                await self._accept_by_tls(link, plan)
            else:
                await self._connect_by_tls(link, plan, text)
            said.update(_said_of_tls(link.transport))
            return "connected" if link.transport is not None else "not connected"

        self.errand("linked", pair, connect, way=text, manner=plan.manner, said=said, **plan.limits)

    def _expect_what_must_come(self, link: Link) -> None:
        """A peer that goes without close_notify is noticed too, though eof_received says nothing of it."""
        super()._expect_what_must_come(link)
        if link.transport is not None and link.way.startswith("tls ") and link.peer and link.peer.gone:
            left_alone = not (link.paused or link.lost or link.disturbed)
            self._expect_if(left_alone, f"connection_lost of {link.number}", 1.0)

    async def _accept_by_tls(self, link: Link, plan: Plan) -> None:
        """A server for this one connection, until it is made or its peer has seen the end of it."""
        link.made = self.loop.create_future()
        server = await self.loop.create_server(
            lambda: talker(self, link), "127.0.0.1", 0, ssl=server_context(), **plan.limits
        )
        client = socket.create_connection(server.sockets[0].getsockname())
        peer = link.peer = TlsPeer(client, plan.manner, server_side=False)
        while not (link.made.done() or peer.cut):
            await asyncio.sleep(_LOOK_EACH_S)
        server.close()

    async def _connect_by_tls(self, link: Link, plan: Plan, way: str) -> None:
        ours, peer = connected("tcp" if way == "client over tcp" else "unix")
        serving = way == "start_tls server"
        link.peer = TlsPeer(peer, plan.manner, server_side=not serving, upgraded=way.startswith("start_tls"))
        if serving:
            context = server_context()
            how: dict[str, Any] = {"server_side": True, **plan.limits}
        else:
            context = client_context(trusting=plan.manner != "unknown")
            name = "elsewhere.example" if plan.manner == "wrong name" else "localhost"
            how = {"server_hostname": name, **plan.limits}
        if not way.startswith("start_tls"):
            await self.loop.create_connection(lambda: talker(self, link), sock=ours, ssl=context, **how)
            return
        greeted = self.loop.create_future()
        plain, _ = await self.loop.create_connection(lambda: _Plain(greeted), sock=ours)
        await greeted
        if serving:
            plain.write(ANSWER)
        protocol = talker(self, link)
        try:
            made = await self.loop.start_tls(plain, protocol, context, **how)
        except NotImplementedError:
            plain.abort()
            raise
        if made is None:
            raise ConnectionError("start_tls() returned None")
        protocol.connection_made(made)  # nobody else tells it: the connection was made before


def _said_of_tls(transport: Any) -> dict[str, Any]:
    """What get_extra_info tells of the connection."""
    if transport is None:
        return {}
    told = {
        name: transport.get_extra_info(name) for name in ("ssl_object", "sslcontext", "cipher", "peercert")
    }
    actual = told["ssl_object"]
    return {
        "cipher": told["cipher"] is not None and tuple(told["cipher"]) == (actual and actual.cipher()),
        "sslcontext": type(told["sslcontext"]).__name__,
        "names": [value for kind, value in (told["peercert"] or {}).get("subjectAltName", ())],
        "socket": transport.get_extra_info("socket") is not None,
    }
