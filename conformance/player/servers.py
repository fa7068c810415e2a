"""Actions on servers, and the clients that connect to them."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

from .connections import Link, Peer, Talker, talker
from .transports import Transports

RECOVERY_S = 1.5
"""A server that ran out of files may rest a second before it tries again."""


class Listening:
    """One server: where it listens, and the connections that it has still to accept."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.server: Any = None
        self.address: Any = None
        self.family = socket.AF_INET
        self.waiting: deque[Link] = deque()
        self.links: list[Link] = []
        self.failures = 0
        self.serving = False
        self.closed = False
        self.path: str | None = None


class Servers(Transports):
    """serve, client, server, factory_fails, starve, feed."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.servers: dict[int, Listening] = {}
        self._folder: str | None = None
        self._limit: tuple[int, int] | None = None

    def do_serve(self, pair: int, text: str) -> None:
        if pair in self.servers:
            return
        listening = self.servers[pair] = Listening(pair)
        self.errand("served", pair, lambda: self._serve(listening, text), place=text)

    async def _serve(self, listening: Listening, place: str) -> None:
        loop = self.loop
        if place.startswith("tcp"):
            starting = place == "tcp"
            listening.server = await loop.create_server(
                lambda: self._accepted(listening), "127.0.0.1", 0, start_serving=starting
            )
        else:
            path = listening.path = self._path(listening, place)
            listening.server = await loop.create_unix_server(lambda: self._accepted(listening), path)
        sock = listening.server.sockets[0]
        listening.address, listening.family = sock.getsockname(), sock.family
        listening.serving = place != "tcp not yet"

    def _path(self, listening: Listening, place: str) -> str:
        if place == "abstract":
            return f"\0muxloop-{os.getpid()}-{id(listening)}"
        if self._folder is None:
            self._folder = tempfile.mkdtemp(prefix="muxloop-")
        path = os.path.join(self._folder, f"server{listening.number}")
        if place == "stale path":
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as forgotten:
                forgotten.bind(path)
        return path

    def _accepted(self, listening: Listening) -> Talker:
        """The protocol factory: clients are accepted in the order in which they connected."""
        link = listening.waiting.popleft()
        if listening.failures:
            listening.failures -= 1
            self.note("refused", str(link.number))
            self.arrived(f"connection_made of {link.number}")
            raise ValueError("raised by the program")
        listening.links.append(link)
        return talker(self, link)

    def do_factory_fails(self, pair: int, count: int) -> None:
        if pair in self.servers:
            self.servers[pair].failures = count

    def do_client(self, pair: int, number: int) -> None:
        listening, link = self.servers.get(pair), self.link(number)
        if listening is None or listening.address is None or link.way:
            return
        link.way = "accepted"
        sock = socket.socket(listening.family, socket.SOCK_STREAM)
        error = None
        try:
            sock.connect(listening.address)
        except OSError as caught:
            error = type(caught).__name__
            sock.close()
        else:
            link.peer = Peer(sock)
            listening.waiting.append(link)
            if listening.serving:
                self.expect(f"connection_made of {number}")
        self.note("client", str(number), server=pair, serving=listening.serving, error=error)

    def do_server(self, pair: int, text: str) -> None:
        listening = self.servers.get(pair)
        if listening is None or listening.server is None:
            return
        if text in ("close", "close_clients", "abort_clients"):
            self._on_server(listening, text)
            return
        self.errand(
            "server-ended",
            pair,
            lambda: self._await_server(listening, text),
            expected=text == "start_serving",
            call=text,
            closed_before=listening.closed,
        )
        self._expect_closed(listening)

    async def _await_server(self, listening: Listening, text: str) -> None:
        if text == "async with":
            async with listening.server:
                self._ends(listening)
        else:
            await getattr(listening.server, text)()
        if text == "start_serving":
            listening.serving = not listening.closed

    def _on_server(self, listening: Listening, method: str) -> None:
        if method == "close":
            self._ends(listening)
        else:
            for link in listening.links:
                if link.transport is not None and not link.lost:
                    link.closing = True
                    link.times["abort"] += method == "abort_clients"
        error = None
        try:
            getattr(listening.server, method)()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("server-did", str(listening.number), what=method, error=error, **_standing(listening))
        for link in listening.links:
            self._expect_what_must_come(link)
        self._expect_closed(listening)

    def _ends(self, listening: Listening) -> None:
        listening.serving, listening.closed = False, True
        for link in listening.waiting:
            self.met(f"connection_made of {link.number}")
        self.consider_ending()  # one of them may have been the last thing to come

    def _expect_closed(self, listening: Listening) -> None:
        """Who waits for a server that is closed, and without connections, waits no longer."""
        over = listening.closed and all(link.lost for link in listening.links)
        for name in self.errands_under_way(f"server-ended of {listening.number}"):
            self._expect_if(over, name)

    def told(self, link: Link, what: str, *, noted: bool = True, **data: Any) -> None:
        super().told(link, what, noted=noted, **data)
        if what == "connection_lost":
            for listening in self.servers.values():
                self._expect_closed(listening)

    def do_starve(self) -> None:
        import resource

        if self._limit is None:
            self._limit = resource.getrlimit(resource.RLIMIT_NOFILE)
            free = os.open(os.devnull, os.O_RDONLY)
            os.close(free)
            resource.setrlimit(resource.RLIMIT_NOFILE, (free, self._limit[1]))
            for listening in self.servers.values():
                for link in listening.waiting:
                    self.expect(f"connection_made of {link.number}", RECOVERY_S)
            self.note("starved", cpu_s=time.process_time())

    def do_feed(self) -> None:
        import resource

        if self._limit is not None:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._limit)
            self._limit = None
            self.note("fed", cpu_s=time.process_time())

    def close_servers(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _standing(listening: Listening) -> dict[str, Any]:
    server = listening.server
    path = listening.path
    return {
        "serving": server.is_serving(),
        "sockets": len(server.sockets),
        "file": None if path is None or path.startswith("\0") else Path(path).exists(),
    }
