"""Programs for selectors, as lines of a script.

Such a program is flat, so it is known while writing what is registered: a call that must be refused is
tried and its exception printed, every other one is written plainly.
"""

from __future__ import annotations

from typing import Any

from . import rendering_sockets as sockets
from .rendering_script import Lines, Place, Script, quoted, seconds
from .rendering_sockets import number_of, ours, peer, pipe_kind
from .rendering_survey import Survey

_EVENTS = {"r": "EVENT_READ", "w": "EVENT_WRITE", "rw": "EVENT_READ | EVENT_WRITE"}

_REFUSED = {
    "register twice": ("register", "spare, EVENT_WRITE"),
    "unregister unknown": ("unregister", "spare"),
    "modify unknown": ("modify", "spare, EVENT_READ"),
    "get_key unknown": ("get_key", "spare"),
    "register no events": ("register", "spare, 0"),
    "register bad events": ("register", "spare, 999"),
    "register negative fd": ("register", "-10, EVENT_READ"),
    "register no fileno": ("register", "object(), EVENT_READ"),
    "register closed": ("register", "closed, EVENT_READ"),
}

_FAILING = {
    "register dead fd": (
        "dead = socket.socket()",
        "number = dead.fileno()",
        "dead.close()",
        'attempt(selector.register, number, EVENT_READ, "new")',
    ),
    "register regular file": (
        "file = tempfile.TemporaryFile()",
        "number = file.fileno()",
        'attempt(selector.register, number, EVENT_READ, "new")',
    ),
    "modify dead fd": (
        "dead, dead_peer = socket.socketpair()",
        "number = dead.fileno()",
        'selector.register(number, EVENT_READ, "old")',
        "dead.close()",
        'attempt(selector.modify, number, EVENT_WRITE, "new")',
    ),
}


class SelectorScript(Script):
    """A script about a selector; keeps account of what is registered."""

    def __init__(self, survey: Survey, new_selector: str) -> None:
        super().__init__(survey)
        self.constants: set[str] = set()
        self.registered: set[int] = set()
        self.abandoned: set[int] = set()
        self.state("selector", f"selector = {new_selector}")

    def events(self, letters: str) -> str:
        names = _EVENTS.get(letters, "0")
        self.event_names(names)
        return names

    def event_names(self, text: str) -> None:
        for name in ("EVENT_READ", "EVENT_WRITE"):
            if name in text:
                self.constants.add(name)

    def text(self) -> str:
        if self.constants:
            self.needs(f"from selectors import {', '.join(sorted(self.constants))}")
        return super().text()


def _change(script: SelectorScript, method: str, arguments: str, *, refused: bool) -> Lines:
    if not refused:
        return [f"selector.{method}({arguments})"]
    return script.attempt(f"selector.{method}", arguments)


def register(script: SelectorScript, _place: Place, pair: int, text: str) -> Lines:
    name = ours(script, pair)
    refused = pair in script.registered or pair in script.abandoned
    if not refused:
        script.registered.add(pair)
    return _change(script, "register", f'{name}, {script.events(text)}, "{name}"', refused=refused)


def modify(script: SelectorScript, _place: Place, pair: int, text: str) -> Lines:
    name = ours(script, pair)
    refused = pair not in script.registered or pair in script.abandoned
    return _change(script, "modify", f'{name}, {script.events(text)}, "{name}, modified"', refused=refused)


def unregister(script: SelectorScript, _place: Place, pair: int) -> Lines:
    refused = pair not in script.registered
    script.registered.discard(pair)
    return _change(script, "unregister", ours(script, pair), refused=refused)


def forget(script: SelectorScript, _place: Place, pair: int) -> Lines:
    refused = pair not in script.registered
    script.registered.discard(pair)
    return _change(script, "unregister", number_of(script, pair), refused=refused)


def abandon(script: SelectorScript, place: Place, pair: int, text: str = "") -> Lines:
    if pair in script.abandoned:
        return []
    script.abandoned.add(pair)
    return sockets.abandon(script, place, pair, text)


def reuse(script: SelectorScript, place: Place, pair: int) -> Lines:
    if pair not in script.abandoned:
        return []
    script.abandoned.discard(pair)
    return sockets.reuse(script, place, pair)


def refuse(script: SelectorScript, _place: Place, text: str) -> Lines:
    if text not in _REFUSED:
        return []
    method, arguments = _REFUSED[text]
    script.event_names(arguments)
    if "spare" in arguments:
        script.needs("socket")
        script.state("spare", "spare, spare_peer = socket.socketpair()")
    if "closed" in arguments:
        script.needs("socket")
        script.state("closed", "closed = socket.socket()", "closed.close()")
    lines = _change(script, method, arguments, refused=True)
    if text == "register twice":
        script.event_names("EVENT_READ")
        lines = ["selector.register(spare, EVENT_READ)", *lines, "selector.unregister(spare)"]
    return [*lines, 'print(len(selector.get_map()), "keys")']


def fail(script: SelectorScript, _place: Place, text: str) -> Lines:
    if text not in _FAILING:
        return []
    lines = _FAILING[text]
    script.attempt()
    script.needs("tempfile" if "file" in text else "socket")
    script.event_names(" ".join(lines))
    name = text.replace(" ", "_")
    script.define(
        name,
        f"def {name}():",
        *(f"    {line}" for line in lines),
        "    if number in selector.get_map():",
        '        print("in the map:", selector.get_key(number))',
        "        selector.unregister(number)",
    )
    return [f"{name}()"]


def select(script: SelectorScript, _place: Place, ms: Any) -> Lines:
    script.needs("time")
    if "many" in script.survey.kinds:
        script.state("seen", "seen = set()")
        shown = [
            "seen.update(key.fd for key, mask in ready)",
            'found = f"{len(ready)} ready, {len(seen)} so far"',
        ]
    else:
        shown = ["found = {key.data: mask for key, mask in ready}"]
    script.define(
        "select",
        "def select(timeout):",
        "    start = time.monotonic()",
        "    ready = selector.select(timeout)",
        "    elapsed = time.monotonic() - start",
        *(f"    {line}" for line in shown),
        '    print(f"select({timeout}) after {elapsed * 1000:.2f} ms: {found}")',
    )
    return [f"select({seconds(ms)})"]


def map_(script: SelectorScript, _place: Place) -> Lines:
    script.define(
        "show_map",
        "def show_map():",
        '    print(len(selector.get_map()), "keys")',
        "    for key in selector.get_map().values():",
        "        print(key, selector.get_key(key.fileobj) == key)",
    )
    return ["show_map()"]


def many(script: SelectorScript, _place: Place, count: int) -> Lines:
    script.needs("socket")
    script.event_names("EVENT_READ")
    script.state("many", "many = []")
    return [
        f"for i in range({count}):",
        "    many.append(socket.socketpair())",
        '    many[-1][1].send(b"x")',
        "    selector.register(many[-1][0], EVENT_READ, i)",
    ]


def alarm(script: SelectorScript, _place: Place, ms: Any) -> Lines:
    script.needs("signal")
    return [
        f"signal.signal(signal.SIGALRM, lambda *_: print({quoted('the signal arrives')}))",
        f"signal.setitimer(signal.ITIMER_REAL, {seconds(ms)})",
    ]


def wake(script: SelectorScript, _place: Place, pair: int, ms: Any) -> Lines:
    script.needs("threading")
    if pipe_kind(script, pair):
        return [f'threading.Timer({seconds(ms)}, os.write, [{peer(script, pair)}, b"x"]).start()']
    return [f'threading.Timer({seconds(ms)}, {peer(script, pair)}.send, [b"x"]).start()']
