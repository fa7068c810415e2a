"""Actions on files that are no connected sockets."""

from __future__ import annotations

import contextlib

from .files import Client, open_pair
from .sockets import Pair, Watching
from .transports import Transports


class SpecialFiles(Transports, Watching):
    """plain, refused, connect, watch_link."""

    def do_plain(self, pair: int, text: str) -> None:
        self._open(pair, text)

    def do_refused(self, pair: int) -> None:
        self._open(pair, "refused")

    def _open(self, pair: int, kind: str) -> None:
        if pair not in self.pairs:
            self.pairs[pair] = Pair(*open_pair(kind), pair)

    def do_connect(self, pair: int) -> None:
        ours = self.pair(pair).ours
        if isinstance(ours, Client):
            with contextlib.suppress(OSError):
                ours.connect_to_server()
            self.note("connecting", str(pair))

    def do_watch_link(self, pair: int, text: str) -> None:
        """Only while the transport is open: after that the number may be anybody's."""
        transport = self.link(pair).transport
        if transport is None or transport.is_closing():
            return
        sock = transport.get_extra_info("socket")
        if sock is None or sock.fileno() < 0:
            return
        error = None
        call = getattr(self.loop, text)
        try:
            if text.startswith("add"):
                call(sock.fileno(), int)
            else:
                call(sock.fileno())
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("link-watched", str(pair), call=text, error=error)
