"""Programs for selectors, as lines of a script.

Such a program is flat, so it is known while writing what is registered: a call that must be refused is
tried and its exception printed, every other one is written plainly.
"""

from __future__ import annotations

import copy
from typing import Any

from ..program import Action, Program
from ..vocabulary.selectors import SETTLING
from .files import FileScript
from .script import Lines, Place, Table, indented, quoted, seconds
from .survey import Survey

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


_ATTEMPTED = {
    "register": "spare, EVENT_READ",
    "unregister": "spare",
    "modify": "spare, EVENT_READ",
    "get_key": "spare",
    "get_map": "",
    "select": "0",
    "close": "",
}


class SelectorScript(FileScript):
    """A script about a selector; knows from the books what is registered."""

    def __init__(self, survey: Survey, new_selector: str) -> None:
        super().__init__(survey)
        self.constants: set[str] = set()
        self.new_selector = new_selector
        self.state("selector", f"selector = {new_selector}")

    def child(self, body: Program, place: Place) -> Lines:
        """What a forked child does; only the table of all lines knows how."""
        raise NotImplementedError

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


def _call(script: SelectorScript, method: str, arguments: str, *, refused: bool) -> Lines:
    if not refused:
        return [f"selector.{method}({arguments})"]
    return script.attempt(f"selector.{method}", arguments)


def _change(script: SelectorScript, action: Action, arguments: str) -> Lines:
    """A call on a file that is open by now; one that may be refused is tried."""
    kind, pair = action[:2]
    known = script.books.knows(pair)
    taken = known if kind != "register" else known is False
    possible = script.books.file(pair).open or kind in ("unregister", "forget")
    if (taken and possible) or known is None:
        script.books.follow(action)
    method = "unregister" if kind == "forget" else kind
    return _call(script, method, arguments, refused=not (taken and possible))


def register(script: SelectorScript, _place: Place, pair: int, text: str) -> Lines:
    opening = script.opened(pair)
    arguments = f'ours{pair}, {script.events(text)}, "ours{pair}"'
    return opening + _change(script, ("register", pair, text), arguments)


def modify(script: SelectorScript, _place: Place, pair: int, text: str) -> Lines:
    opening = script.opened(pair)
    arguments = f'ours{pair}, {script.events(text)}, "ours{pair}, modified"'
    return opening + _change(script, ("modify", pair, text), arguments)


def unregister(script: SelectorScript, _place: Place, pair: int) -> Lines:
    return script.opened(pair) + _change(script, ("unregister", pair), f"ours{pair}")


def forget(script: SelectorScript, _place: Place, pair: int) -> Lines:
    return script.opened(pair) + _change(script, ("forget", pair), f"fd{pair}")


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
    lines = _call(script, method, arguments, refused=True)
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
    script.books.follow(("select", ms))
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
    opening = script.opened(pair)
    target = f"peer{pair}.send, [" if script.lines_of(pair).is_socket else f"os.write, [peer{pair}, "
    return [*opening, f'threading.Timer({seconds(ms)}, {target}b"x"]).start()']


def settle(script: SelectorScript, _place: Place) -> Lines:
    script.books.follow(("settle",))
    return [f"for _ in range({SETTLING}):", "    selector.select(0)"]


def fork(script: SelectorScript, place: Place, body: Program) -> Lines:
    script.needs("os")
    parents = script.books
    script.books = copy.deepcopy(parents)
    lines = script.child(body, place)
    script.books = parents
    return [
        "child = os.fork()",
        "if not child:",
        *indented(lines),
        "    os._exit(0)",
        "os.waitpid(child, 0)",
    ]


def close(script: SelectorScript, _place: Place) -> Lines:
    script.books.follow(("close",))
    return ["selector.close()"]


def attempt(script: SelectorScript, _place: Place, text: str) -> Lines:
    arguments = _ATTEMPTED[text]
    script.event_names(arguments)
    if "spare" in arguments:
        script.needs("socket")
        script.state("spare", "spare, spare_peer = socket.socketpair()")
    return script.attempt(f"selector.{text}", *([arguments] if arguments else []))


def another(script: SelectorScript, _place: Place) -> Lines:
    script.needs("os", "socket")
    script.event_names("EVENT_WRITE")
    script.state("spare", "spare, spare_peer = socket.socketpair()")
    script.define(
        "use_another",
        "def use_another():",
        '    before = set(os.listdir("/dev/fd"))',
        f"    with {script.new_selector} as selector:",
        "        selector.register(spare, EVENT_WRITE)",
        "        selector.select(0)",
        '        for number in set(os.listdir("/dev/fd")) - before:',
        "            try:",
        '                print(f"file {number} can be inherited: {os.get_inheritable(int(number))}")',
        "            except OSError:",
        "                pass  # the listing's own",
        '    print(len(os.listdir("/dev/fd")) - len(before), "more files than before")',
    )
    return ["use_another()", "use_another()"]


LINES: Table = {
    "register": register,
    "modify": modify,
    "unregister": unregister,
    "refuse": refuse,
    "fail": fail,
    "select": select,
    "map": map_,
    "forget": forget,
    "settle": settle,
    "fork": fork,
    "close": close,
    "attempt": attempt,
    "another": another,
    "many": many,
    "alarm": alarm,
    "wake": wake,
}
