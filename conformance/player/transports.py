"""Actions on transports, in the callbacks of their protocols and elsewhere, and on their peers."""

from __future__ import annotations

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from ..program import Program
from .connections import Link, Peer, asked, connected, payload, state_of, talker
from .lifecycle import LifeCycle
from .stage import PATIENCE_S

REACTIONS = 4
"""How often a protocol acts in one of its callbacks: two that answer each other must come to an end."""
NAMES = ("socket", "sockname", "peername", "sslcontext", "pipe")


class Transports(LifeCycle):
    """link, on, write, close_link, peer_send…"""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.links: dict[int, Link] = {}
        self._telling = 0
        self._errands: dict[str, asyncio.Task[None]] = {}

    def link(self, number: int) -> Link:
        if number not in self.links:
            self.links[number] = Link(number, "")
        return self.links[number]

    # -- making connections ------------------------------------------------------------------------------

    def do_link(self, pair: int, text: str) -> None:
        link = self.link(pair)
        if link.way:
            return
        link.way = text
        self.expect(f"connection_made of {pair}")
        if text in ("unix", "tcp"):
            ours, peer = connected(text)
            link.peer = Peer(peer)
            holder = [ours]  # the loop has it to itself: one that holds a duplicate would never close it
            self.errand("linked", pair, lambda: self._connect(link, sock=holder.pop()), way=text)
        elif text == "client":
            link.listener = socket.create_server(("127.0.0.1", 0))
            host, port = link.listener.getsockname()
            self.errand("linked", pair, lambda: self._connect(link, host=host, port=port), way=text)
        else:
            self.errand("linked", pair, lambda: self._let_connect(link), way=text)

    async def _connect(self, link: Link, **where: Any) -> None:
        await self.loop.create_connection(lambda: talker(self, link), **where)

    async def _let_connect(self, link: Link) -> None:
        """A server for this one connection."""
        link.made = self.loop.create_future()
        server = await self.loop.create_server(lambda: talker(self, link), "127.0.0.1", 0)
        link.peer = Peer(socket.create_connection(server.sockets[0].getsockname()))
        await link.made
        server.close()

    def errand(
        self,
        kind: str,
        pair: int,
        run: Callable[[], Coroutine[Any, Any, Any]],
        *,
        expected: bool = True,
        **data: Any,
    ) -> None:
        """Run a coroutine beside the program; its end, result or error are noted under that kind."""

        async def note_end() -> None:
            try:
                data["result"] = repr(await run())
            except (Exception, asyncio.CancelledError) as error:
                data["error"] = f"{type(error).__name__}: {error}"
                if kind in ("linked", "piped"):
                    self.met(f"connection_made of {pair}")
            self.note(kind, str(pair), **data)
            self._errands.pop(name)
            self.arrived(name)

        name = self.fresh(f"{kind} of {pair}")
        if expected:
            self.expect(name)
        self._errands[name] = self.loop.create_task(note_end())

    def errands_under_way(self, name: str) -> list[str]:
        """The errands of that name that have not ended, under the names by which they are expected."""
        return [each for each in self._errands if each.partition(".")[0] == name]

    def do_protocol(self, pair: int, text: str) -> None:
        link = self.link(pair)
        link.kind = text
        if text == "empty buffer":
            link.disturbed = True
        if link.transport is not None:
            protocol = talker(self, link)
            self._call(link, "set_protocol", protocol, to=protocol.number)

    def do_on(self, pair: int, text: str, body: Program) -> None:
        self.link(pair).reactions[text] = body

    def do_keep_open(self, pair: int) -> None:
        self.link(pair).keep_open = True

    # -- what protocols are told -------------------------------------------------------------------------

    def told(self, link: Link, what: str, *, noted: bool = True, **data: Any) -> None:
        """Note a callback of a protocol, and do what the program wants done in it."""
        self._activity += 1
        self.met(f"{what} of {link.number}")
        if noted or link.during:
            self.note(
                "told",
                str(link.number),
                what=what,
                during=link.during[-1:],
                **data,
                **state_of(link.transport),
            )
        self._expect_what_must_come(link)
        link.times[what] += 1
        self._telling += 1
        try:
            if link.times[what] <= REACTIONS:
                self.perform(link.reactions.get(what, ()))
        except ValueError:
            link.disturbed = True
            self._expect_what_must_come(link)
            raise
        finally:
            self._telling -= 1
            self.consider_ending()

    def leaves(self, link: Link) -> None:
        """From now on what is written may be dropped."""
        link.closing = True
        self._expect_what_must_come(link)

    def do_fail(self) -> None:
        if self._telling:
            self.note("raised", "", exception="ValueError")
            raise ValueError("raised by the program")

    def _expect_what_must_come(self, link: Link) -> None:
        """A run waits for what a sound loop is bound to do, and for nothing else."""
        peer, number = link.peer, link.number
        if peer is None or link.transport is None:
            return
        flowing = not (link.paused or link.closing or link.lost or link.disturbed or peer.gone)
        self._expect_if(flowing and link.heard.total < peer.sent, f"data_received of {number}")
        drained = peer.gone or peer.reader is not None or "abort" in link.times
        ending = link.closing and drained and not link.lost
        # A TCP window that was shut opens again in steps of 0.2 s.
        self._expect_if(ending, f"connection_lost of {number}", 0.0 if link.way == "unix" else 1.0)

    def _expect_if(self, expected: bool, name: str, within_s: float = 0.0) -> None:
        if not expected:
            self.met(name)
        elif name not in self._expected:
            self.expect(name, within_s)

    # -- calls on transports -----------------------------------------------------------------------------

    def _call(self, link: Link, method: str, *arguments: Any, **data: Any) -> dict[str, Any]:
        """Make the call; noted before what it sets off, completed when it returns."""
        data |= {"what": method, "error": None, "left": link.closing, "lost": link.lost}
        self.events.append((self.now(), self.lane(), "did", str(link.number), data))
        link.closing |= method in ("close", "abort")
        link.during.append(method)
        try:
            getattr(link.transport, method)(*arguments)
        except Exception as error:
            data["error"] = f"{type(error).__name__}: {error}"
        finally:
            link.during.pop()
            data |= state_of(link.transport)
        return data

    def do_write(self, pair: int, size: int, text: str = "bytes") -> None:
        link = self.link(pair)
        if link.transport is None:
            return
        start = link.written
        data = payload(start, size)
        link.written += size
        if text == "lines":
            third = size // 3
            lines = [data[:third], bytearray(data[third : 2 * third]), memoryview(data[2 * third :])]
            done = self._call(link, "writelines", lines, start=start, count=size)
        else:
            made = data if text == "bytes" else bytearray(data)
            given = memoryview(made) if text == "memoryview" else made
            done = self._call(link, "write", given, start=start, count=size, buffer=text)
            if text == "mutated":
                made[:] = bytes(len(made))  # type: ignore[index]  # a bytearray
        if done["error"] and not link.written > start + size:
            link.written = start

    def do_write_eof(self, pair: int) -> None:
        self._on_transport(pair, "write_eof")

    def do_close_link(self, pair: int) -> None:
        self._leave(pair, "close")

    def do_abort(self, pair: int) -> None:
        self._leave(pair, "abort")

    def _leave(self, pair: int, method: str) -> None:
        link = self.link(pair)
        if link.transport is not None:
            link.times[method] += 1
            self._call(link, method)
            self._expect_what_must_come(link)

    def do_pause_reading(self, pair: int) -> None:
        self._read_or_not(pair, "pause_reading", paused=True)

    def do_resume_reading(self, pair: int) -> None:
        self._read_or_not(pair, "resume_reading", paused=False)

    def _read_or_not(self, pair: int, method: str, *, paused: bool) -> None:
        link = self.link(pair)
        if link.transport is not None:
            link.paused = paused
            self._call(link, method)
            self._expect_what_must_come(link)

    def do_limits(self, pair: int, high: int, low: int | None = None) -> None:
        self._on_transport(pair, "set_write_buffer_limits", high, low)

    def _on_transport(self, pair: int, method: str, *arguments: Any) -> None:
        link = self.link(pair)
        if link.transport is not None:
            self._call(link, method, *arguments, arguments=arguments)

    def do_look(self, pair: int) -> None:
        link = self.link(pair)
        transport = link.transport
        if transport is None:
            return
        seen: dict[str, Any] = {name: _info(asked(transport, "get_extra_info", name)) for name in NAMES}
        seen["unknown"] = repr(asked(transport, "get_extra_info", "no such name", 42))
        seen["reading"] = asked(transport, "is_reading")
        names = link.peer.names if link.peer is not None else None
        self.note(
            "looked", str(pair), lost=link.lost, way=link.way, names=names, **seen, **state_of(link.transport)
        )

    def do_sendfile(self, pair: int, size: int, offset: int, count: int, text: str) -> None:
        link = self.link(pair)
        if link.transport is None or link.closing:
            return
        promised = max(0, size - offset)
        promised = min(promised, count) if count else promised
        start = link.written
        link.written += promised

        async def send() -> int:
            with tempfile.TemporaryFile() as file:
                file.write(b"\0" * min(offset, size) + payload(start, size - min(offset, size)))
                file.flush()
                transport, fallback = link.transport, text == "fallback"
                sent = await self.loop.sendfile(transport, file, offset, count or None, fallback=fallback)
                seen["position"] = file.tell()
                return sent

        seen: dict[str, Any] = {}
        self.errand(
            "sent-file", pair, send, promised=promised, offset=offset, seen=seen, text=text, start=start
        )

    # -- peers -------------------------------------------------------------------------------------------

    def do_peer_send(self, pair: int, size: int) -> None:
        link = self.link(pair)
        if link.peer is not None and not link.peer.gone:
            link.peer.send(size)
            self.note("peer", str(pair), what="sent", total=link.peer.sent)
            self._expect_what_must_come(link)

    def do_peer_recv(self, pair: int, size: int) -> None:
        link = self.link(pair)
        if link.peer is not None and not link.peer.gone and link.peer.reader is None:
            link.peer.receive(size)
            self._note_heard(link, "received")

    def do_peer_reads(self, pair: int) -> None:
        link = self.link(pair)
        if link.peer is not None:
            link.peer.read_to_the_end()
            self.note("peer", str(pair), what="reads")
            self._expect_what_must_come(link)

    def do_peer_eof(self, pair: int) -> None:
        link = self.link(pair)
        if link.peer is not None and not link.peer.gone:
            link.peer.end_of_stream()
            self.note("peer", str(pair), what="eof")

    def do_peer_close(self, pair: int) -> None:
        self._vanish(pair, reset=False)

    def do_peer_reset(self, pair: int) -> None:
        self._vanish(pair, reset=True)

    def _vanish(self, pair: int, *, reset: bool) -> None:
        link = self.link(pair)
        if link.peer is not None and not link.peer.gone:
            link.peer.close(reset=reset)
            self.note("peer", str(pair), what="reset" if reset else "closed")
            self._expect_what_must_come(link)

    def do_hear(self, pair: int) -> None:
        link = self.link(pair)
        if link.peer is not None and link.peer.reader is not None:
            self._let_read_on(link.peer, link.peer.reader, PATIENCE_S * self.tolerance if link.lost else 0.0)
            self._note_heard(link, "heard")

    @staticmethod
    def _let_read_on(peer: Peer, reader: threading.Thread, patience_s: float) -> None:
        """Wait for the end of the stream as long as more comes: the kernel may still have some."""
        before = -1
        while reader.is_alive() and peer.heard.total > before:
            before = peer.heard.total
            reader.join(patience_s)

    def _note_heard(self, link: Link, what: str) -> None:
        assert link.peer is not None
        heard = link.peer.heard
        self.note(
            "peer",
            str(link.number),
            what=what,
            total=heard.total,
            wrong_at=heard.wrong_at,
            ended=link.peer.ended,
            written=link.written,
        )

    def close_links(self) -> None:
        for link in self.links.values():
            for end in (link.peer, link.listener):
                if end is not None:
                    end.close()


def _info(value: Any) -> Any:
    """A file is told by what it can do; everything else stands for itself."""
    if not hasattr(value, "fileno"):
        return repr(value)
    kind = "socket" if hasattr(value, "getsockname") else "file"
    try:
        return f"an open {kind}" if value.fileno() >= 0 else f"a closed {kind}"
    except ValueError:
        return f"a closed {kind}"
