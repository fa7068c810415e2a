"""Calls on a selector that must be refused, or that the kernel may refuse, and the end of its life."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable
from selectors import EVENT_READ, EVENT_WRITE

from . import gauges
from .registering import Registering


class Misusing(Registering):
    """refuse, fail, close, attempt, another."""

    def do_refuse(self, text: str) -> None:
        """Make one call that must be refused; note the error and whether the map stayed as it was."""
        a, b = socket.socketpair()
        closed, other = socket.socketpair()
        closed.close()
        selector = self.selector
        calls: dict[str, Callable[[], object]] = {
            "register twice": lambda: (selector.register(a, EVENT_READ), selector.register(a, EVENT_WRITE)),
            "unregister unknown": lambda: selector.unregister(a),
            "modify unknown": lambda: selector.modify(a, EVENT_READ),
            "get_key unknown": lambda: selector.get_key(a),
            "register no events": lambda: selector.register(a, 0),
            "register bad events": lambda: selector.register(a, 999),
            "register negative fd": lambda: selector.register(-10, EVENT_READ),
            "register no fileno": lambda: selector.register(object(), EVENT_READ),  # type: ignore[arg-type]
            "register closed": lambda: selector.register(closed, EVENT_READ),
        }
        before = len(selector.get_map())
        error = None
        try:
            calls[text]()
        except Exception as caught:
            error = type(caught).__name__
        after = len(selector.get_map())
        if text == "register twice":
            selector.unregister(a)
            before += 1
        for end in (a, b, other):
            end.close()
        self.note("refused", text, error=error, before=before, after=after)

    def do_fail(self, text: str) -> None:
        """Make one call that the kernel may refuse; either way the map must tell the truth after it."""
        selector, problems, error = self.selector, [], None
        before = len(selector.get_map())
        with tempfile.TemporaryFile() as file:
            a, b = socket.socketpair()
            number = a.fileno()
            if text == "modify dead fd":
                selector.register(number, EVENT_READ, "old")
            if text != "register regular file":
                a.close()
            else:
                number = file.fileno()
            try:
                if text == "modify dead fd":
                    selector.modify(number, EVENT_WRITE, "new")
                else:
                    selector.register(number, EVENT_READ, "new")
            except (OSError, ValueError, KeyError) as caught:
                error = f"{type(caught).__name__}: {caught}"
            key = selector.get_map().get(number)
            if error and key is not None and key.data == "new":
                problems.append(f"{error}, and yet the map has {key}")
            if not error and (key is None or key.data != "new"):
                problems.append(f"no error, and yet the map has {key}")
            if key is not None:
                selector.unregister(number)
            a.close()
            b.close()
        after = len(selector.get_map())
        if before != after:
            problems.append(f"the map went from {before} to {after} keys")
        self.note("failed", text, error=error, problems=problems)

    def do_close(self) -> None:
        self._attempt("close", self.selector.close)
        self.books.follow(("close",))

    def do_attempt(self, text: str) -> None:
        """Make that call, whatever it does, and note what came of it."""
        selector = self.selector
        spare, peer = socket.socketpair()
        with spare, peer:
            calls: dict[str, Callable[[], object]] = {
                "register": lambda: selector.register(spare, EVENT_READ),
                "unregister": lambda: selector.unregister(spare),
                "modify": lambda: selector.modify(spare, EVENT_READ),
                "get_key": lambda: selector.get_key(spare),
                "get_map": selector.get_map,
                "select": lambda: selector.select(0),
                "close": selector.close,
            }
            self._attempt(text, calls[text])

    def _attempt(self, text: str, call: Callable[[], object]) -> None:
        error = result = None
        try:
            result = call()
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        self.note("attempted", text, error=error, result=repr(result), closed=self.books.closed)

    def do_another(self) -> None:
        """Open, use and close selectors; note the files that stay open, or that an executed program has."""
        self._use_another()  # what a process opens once, for all selectors, is no leak
        before = gauges.open_numbers()
        inherited, error = self._use_another()
        after = gauges.open_numbers()
        self.note("used", error=error, inherited=sorted(inherited), leaked=len(after) - len(before))

    def _use_another(self) -> tuple[set[int], str | None]:
        """The numbers that one more selector holds and would pass on to an executed program."""
        held: set[int] = set()
        spare, peer = socket.socketpair()
        with spare, peer:
            before = gauges.open_numbers()
            try:
                with self.make_selector() as selector:
                    selector.register(spare, EVENT_WRITE)
                    selector.select(0)
                    held = gauges.open_numbers() - before
                    inherited = {number for number in held if os.get_inheritable(number)}
                    selector.unregister(spare)
            except Exception as error:
                return set(), f"{type(error).__name__}: {error}"
        return inherited, None
