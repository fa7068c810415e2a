"""Files of every kind, and their registration with a selector."""

from __future__ import annotations

import contextlib
import selectors
import socket
from collections.abc import Callable, Mapping
from typing import Any

from ..program import Action, Program
from ..selector_model import LETTERS, TRAFFIC, Books
from .files import Client, open_pair
from .sockets import Pair, Pairs

_DIRECTIONS = {"ours r": socket.SHUT_RD, "ours w": socket.SHUT_WR}


class Registering(Pairs):
    """open, dup, connect, shutdown, abandon, reuse; register, modify, unregister, forget, map."""

    def __init__(self, make_selector: Callable[[], selectors.BaseSelector], tolerance: float = 1.0) -> None:
        super().__init__(tolerance)
        self.make_selector = make_selector
        self.selector = make_selector()
        self.books = Books()
        self._data: dict[int, str] = {}
        self.many: list[tuple[socket.socket, socket.socket]] = []

    def perform(self, body: Program) -> None:
        for action in body:
            super().perform((action,))
            if action[0] in TRAFFIC:
                self.books.follow(action)

    # -- files -------------------------------------------------------------------------------------------

    def do_open(self, pair: int, text: str) -> None:
        """Open a file of that kind; a pair of sockets, where the platform has none such."""
        if pair in self.pairs:
            return
        try:
            self.pairs[pair] = Pair(*open_pair(text), pair)
        except (AttributeError, OSError) as error:
            self.note("replaced", text, error=repr(error))
            self.pair(pair)
        else:
            self.books.follow(("open", pair, text))

    def do_dup(self, pair: int, copy: int) -> None:
        original = self.pair(pair)
        if copy not in self.pairs and self.books.file(pair).open:
            self.pairs[copy] = Pair(original.ours.dup(), original.peer, copy)
            self.books.follow(("dup", pair, copy))

    def do_connect(self, pair: int) -> None:
        ours = self.pair(pair).ours
        if isinstance(ours, Client):
            with contextlib.suppress(OSError):
                ours.connect_to_server()

    def do_shutdown(self, pair: int, text: str = "peer w") -> None:
        end = self.pair(pair).peer if text == "peer w" else self.pair(pair).ours
        with contextlib.suppress(OSError):
            end.shutdown(_DIRECTIONS.get(text, socket.SHUT_WR))

    def do_abandon(self, pair: int, text: str = "") -> None:
        self.pair(pair)
        if self.books.file(pair).open:
            super().do_abandon(pair, text)
            self.books.follow(("abandon", pair, text))

    def do_reuse(self, pair: int, text: str = "socket") -> None:
        self.pair(pair).reuse(text)
        self.note("reused", str(pair))
        self.books.follow(("reuse", pair, text))

    # -- the map -----------------------------------------------------------------------------------------

    def do_register(self, pair: int, text: str) -> None:
        data = f"data {len(self.events)}"
        ours = self.pair(pair).ours
        if self._change(("register", pair, text), lambda: self.selector.register(ours, LETTERS[text], data)):
            self._data[pair] = data

    def do_modify(self, pair: int, text: str) -> None:
        data = f"data {len(self.events)}"
        ours = self.pair(pair).ours
        if self._change(("modify", pair, text), lambda: self.selector.modify(ours, LETTERS[text], data)):
            self._data[pair] = data

    def do_unregister(self, pair: int) -> None:
        ours = self.pair(pair).ours
        self._change(("unregister", pair), lambda: self.selector.unregister(ours))

    def do_forget(self, pair: int) -> None:
        number = self.pair(pair).number
        self._change(("forget", pair), lambda: self.selector.unregister(number))

    def _change(self, action: Action, call: Callable[[], object]) -> bool:
        what, pair = action[:2]
        known = self.books.knows(pair)
        error = None
        try:
            call()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("changed", what, pair=pair, error=error, known=known)
        if error is None or known is None:
            self.books.follow(action)
        return error is None

    def do_map(self) -> None:
        """Compare get_map and get_key with what was registered."""
        mapping = self.selector.get_map()
        problems = list(self._problems_of_map(mapping))
        registered = dict(self.books.registered())
        if len(mapping) != len(registered) + len(self.many):
            problems.append(f"{len(mapping)} keys, {len(registered) + len(self.many)} registrations")
        for pair, file in registered.items():
            if file.sound:
                problems += self._problems_of_key(mapping, pair, file.events)
        self.note("mapped", problems=problems)

    def _problems_of_map(self, mapping: Any) -> list[str]:
        problems = []
        if not isinstance(mapping, Mapping):
            problems.append(f"get_map() is a {type(mapping).__name__}, no Mapping")
        if hasattr(mapping, "__setitem__"):
            problems.append("get_map() can be written to")
        return problems

    def _problems_of_key(self, mapping: Any, pair: int, events: int) -> list[str]:
        ours = self.pair(pair).ours
        try:
            key = self.selector.get_key(ours)
        except Exception as error:
            return [f"get_key of a registered socket: {type(error).__name__}: {error}"]
        problems = []
        if tuple(key) != (ours, ours.fileno(), events, self._data[pair]):
            registered = (ours.fileno(), events, self._data[pair])
            problems.append(f"the key is {tuple(key)[1:]}, registered was {registered}")
        if mapping.get(ours) != key or ours not in mapping:
            problems.append("get_map()[socket] is not get_key(socket)")
        return problems
