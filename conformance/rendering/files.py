"""Files of every kind, and what is done to them, as lines of a script about a selector.

A table says how each kind is opened and used; ``{o}`` stands for our end, ``{p}`` for its peer. What is no
socket goes by its bare number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..file_kinds import KINDS
from ..selector_model import Books
from .script import Lines, Place, Script, Table, guarded
from .survey import Survey

FIRST_NUMBER = 900


@dataclass(frozen=True)
class FileLines:
    """How one kind of file reads in a script."""

    opening: tuple[str, ...]
    is_socket: bool = True
    modules: tuple[str, ...] = ("socket",)
    send: str = "{p}.send({bytes})"
    recv: str = "{o}.recv({count})"
    fill: tuple[str, ...] = ("while True:", '    {o}.send(b"x" * 65536)')
    drain: tuple[str, ...] = ("while {p}.recv(1 << 20):", "    pass")
    hangup: str = "{p}.close()"


_SOCKETS = FileLines(("{o}, {p} = socket.socketpair()", "{o}.setblocking(False)", "{p}.setblocking(False)"))
_NUMBERS = FileLines(
    ("{o}, {p} = os.pipe()", "os.set_blocking({o}, False)", "os.set_blocking({p}, False)"),
    is_socket=False,
    modules=("os",),
    send="os.write({p}, {bytes})",
    recv="os.read({o}, {count})",
    fill=("while True:", '    os.write({o}, b"x" * 65536)'),
    drain=("while os.read({p}, 1 << 20):", "    pass"),
    hangup="os.close({p})",
)


def _opened(base: FileLines, *lines: str, modules: tuple[str, ...] = ()) -> FileLines:
    """Like *base*, opened by those lines; neither end of it blocks."""
    unblocking = base.opening[1:]
    return replace(base, opening=(*lines, *unblocking), modules=base.modules + modules)


def _alone(line: str, *modules: str) -> FileLines:
    """A number without a peer, opened by that line."""
    return replace(_NUMBERS, opening=(line,), modules=("os", *modules))


_FIFO = (
    "folder = tempfile.mkdtemp()",
    'os.mkfifo(folder + "/fifo")',
    '{r} = os.open(folder + "/fifo", os.O_RDONLY | os.O_NONBLOCK)',
    '{w} = os.open(folder + "/fifo", os.O_WRONLY | os.O_NONBLOCK)',
    "shutil.rmtree(folder)",
)
_TERMINAL = ("{m}, {s} = os.openpty()", "tty.setraw({s})")
_UDP = ("{o} = socket.socket(type=socket.SOCK_DGRAM)", "{p} = socket.socket(type=socket.SOCK_DGRAM)")


def _fifo(reading: str, writing: str) -> FileLines:
    lines = (line.replace("{r}", reading).replace("{w}", writing) for line in _FIFO)
    return _opened(_NUMBERS, *lines, modules=("shutil", "tempfile"))


def _terminal(master: str, slave: str) -> FileLines:
    lines = (line.replace("{m}", master).replace("{s}", slave) for line in _TERMINAL)
    return _opened(_NUMBERS, *lines, modules=("tty",))


FILE_LINES: dict[str, FileLines] = {
    "socket": _SOCKETS,
    "tcp": _opened(
        _SOCKETS,
        'server = socket.create_server(("127.0.0.1", 0))',
        "{p} = socket.create_connection(server.getsockname())",
        "{o} = server.accept()[0]",
    ),
    "pipe r": _NUMBERS,
    "pipe w": _opened(_NUMBERS, "{p}, {o} = os.pipe()"),
    "fifo r": _fifo("{o}", "{p}"),
    "fifo w": _fifo("{p}", "{o}"),
    "terminal": _terminal("{o}", "{p}"),
    "tty": _terminal("{p}", "{o}"),
    "listener": replace(
        _SOCKETS,
        opening=('{o} = socket.create_server(("127.0.0.1", 0))', "{o}.setblocking(False)", "{p} = []"),
        send="{p} += [socket.create_connection({o}.getsockname()) for _ in range({count})]",
        recv="{o}.accept()[0].close()",
        hangup="{p}.clear()",
    ),
    "client": replace(
        _SOCKETS,
        opening=(
            "{o} = socket.socket()",
            "{o}.setblocking(False)",
            '{p} = socket.create_server(("127.0.0.1", 0))',
            "address{n} = {p}.getsockname()",
        ),
    ),
    "refused": replace(
        _SOCKETS,
        opening=(
            "{o} = socket.socket()",
            "{o}.setblocking(False)",
            "{p} = socket.socket()",
            '{p}.bind(("127.0.0.1", 0))',
            "address{n} = {p}.getsockname()",
        ),
    ),
    "udp": _opened(
        _SOCKETS,
        *_UDP,
        '{o}.bind(("127.0.0.1", 0))',
        '{p}.bind(("127.0.0.1", 0))',
        "{o}.connect({p}.getsockname())",
        "{p}.connect({o}.getsockname())",
    ),
    "datagrams": _opened(_SOCKETS, "{o}, {p} = socket.socketpair(type=socket.SOCK_DGRAM)"),
    "eventfd": replace(
        _alone("{o} = os.eventfd(0, os.EFD_NONBLOCK)"),
        send="os.eventfd_write({o}, {count})",
        recv="os.eventfd_read({o})",
        fill=("os.eventfd_write({o}, 2**64 - 2)",),
    ),
    "timerfd": replace(
        _alone("{o} = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK)", "time"),
        send="os.timerfd_settime_ns({o}, initial={count})",
        recv="os.read({o}, 8)",
    ),
    "pidfd": _alone("{o} = os.pidfd_open(os.getpid())"),
    "file": _alone("{o} = os.open(os.__file__, os.O_RDONLY)"),
    "directory": _alone('{o} = os.open(".", os.O_RDONLY)'),
    "null": _alone("{o} = os.open(os.devnull, os.O_RDONLY)"),
}

_HOWS = {"peer w": ("{p}", "SHUT_WR"), "ours r": ("{o}", "SHUT_RD"), "ours w": ("{o}", "SHUT_WR")}


class FileScript(Script):
    """A script that opens files as they come up, and keeps the books on them."""

    def __init__(self, survey: Survey) -> None:
        super().__init__(survey)
        self.books = Books()
        self._numbered = survey.pairs("forget")
        self._moved = survey.pairs("abandon", "reuse")

    def lines_of(self, pair: int) -> FileLines:
        return FILE_LINES[self.books.file(pair).kind]

    def filled(self, line: str, pair: int, **values: object) -> str:
        return line.format(o=f"ours{pair}", p=f"peer{pair}", n=pair, **values)

    def opened(self, pair: int, kind: str = "socket") -> Lines:
        """The lines that open the file, where it comes up first."""
        if pair in self.books.files:
            return []
        self.books.follow(("open", pair, kind))
        return self.opening(pair)

    def opening(self, pair: int) -> Lines:
        """Files whose number is closed or reused get one that nobody else comes to lie on."""
        lines = self.lines_of(pair)
        self.needs(*lines.modules)
        return [self.filled(line, pair) for line in lines.opening] + self.numbering(pair)

    def numbering(self, pair: int) -> Lines:
        is_socket = self.lines_of(pair).is_socket
        if pair in self._moved:
            self.needs("os")
            self.state(f"fd{pair}", f"fd{pair} = {FIRST_NUMBER + pair}")
            return [line.format(n=pair) for line in (_MOVED_SOCKET if is_socket else _MOVED_NUMBER)]
        if pair in self._numbered:
            return [f"fd{pair} = ours{pair}{'.fileno()' if is_socket else ''}"]
        return []

    def doing(self, kind: str, pair: int, *lines: str, **values: object) -> Lines:
        """Lines that do something to a file that may refuse it; none, where it has no such thing."""
        before = self.opened(pair)
        if kind not in KINDS[self.books.file(pair).kind].takes:
            return before
        self.needs("contextlib")
        done = [self.filled(line, pair, **values) for line in lines]
        return [*before, *guarded("with contextlib.suppress(OSError)", done)]


def open_(script: FileScript, _place: Place, pair: int, text: str) -> Lines:
    return script.opened(pair, text)


def dup(script: FileScript, _place: Place, pair: int, copy: int) -> Lines:
    lines = script.opened(pair)
    if copy in script.books.files or not script.books.file(pair).open:
        return lines
    script.books.follow(("dup", pair, copy))
    copied = "{o}.dup()" if script.lines_of(pair).is_socket else "os.dup({o})"
    lines += [f"ours{copy} = {script.filled(copied, pair)}"]
    if any("{p}" in line for line in script.lines_of(pair).opening):
        lines += [f"peer{copy} = peer{pair}"]
    return [*lines, *script.numbering(copy)]


def connect(script: FileScript, _place: Place, pair: int) -> Lines:
    return script.doing("connect", pair, "{o}.connect_ex(address{n})")


def send(script: FileScript, _place: Place, pair: int, count: int) -> Lines:
    lines = script.opened(pair)
    text = f'b"{"x" * count}"' if count <= 8 else f'b"x" * {count}'
    return lines + script.doing("send", pair, script.lines_of(pair).send, bytes=text, count=count)


def recv(script: FileScript, _place: Place, pair: int, count: int) -> Lines:
    lines = script.opened(pair)
    return lines + script.doing("recv", pair, script.lines_of(pair).recv, count=count)


def fill(script: FileScript, _place: Place, pair: int) -> Lines:
    lines = script.opened(pair)
    return lines + script.doing("fill", pair, *script.lines_of(pair).fill)


def drain(script: FileScript, _place: Place, pair: int) -> Lines:
    lines = script.opened(pair)
    return lines + script.doing("drain", pair, *script.lines_of(pair).drain)


def shutdown(script: FileScript, _place: Place, pair: int, text: str = "peer w") -> Lines:
    end, how = _HOWS[text]
    return script.doing("shutdown", pair, f"{end}.shutdown(socket.{how})")


def hangup(script: FileScript, _place: Place, pair: int) -> Lines:
    lines = script.opened(pair)
    if not script.books.file(pair).peer.open:
        return lines  # a number that is closed twice may be another file's
    script.books.follow(("hangup", pair))
    return lines + script.doing("hangup", pair, script.lines_of(pair).hangup)


def abandon(script: FileScript, _place: Place, pair: int, text: str = "") -> Lines:
    lines = script.opened(pair)
    if not script.books.file(pair).open:
        return lines
    script.books.follow(("abandon", pair, text))
    is_socket = script.lines_of(pair).is_socket
    if text == "dup":
        script.state("kept_open", "kept_open = []")
        copied = "{o}.dup()" if is_socket else "os.dup({o})"
        lines.append(script.filled(f"kept_open.append({copied})", pair))
    return [*lines, script.filled("{o}.close()" if is_socket else "os.close({o})", pair)]


def reuse(script: FileScript, _place: Place, pair: int, text: str = "socket") -> Lines:
    lines = script.opened(pair)
    before = script.lines_of(pair)
    if any("{p}" in line for line in before.opening):
        script.state("kept_open", "kept_open = []")
        lines.append(f"kept_open.append(peer{pair})")
    if script.books.file(pair).open and before.is_socket:
        lines.append(f"ours{pair}.detach()")
    script.books.follow(("reuse", pair, text))
    return lines + script.opening(pair)


_MOVED_NUMBER = ("os.dup2(ours{n}, fd{n})", "os.close(ours{n})", "ours{n} = fd{n}")
_MOVED_SOCKET = (
    "os.dup2(ours{n}.fileno(), fd{n})",
    "ours{n}.close()",
    "ours{n} = socket.socket(fileno=fd{n})",
    "ours{n}.setblocking(False)",
)


LINES: Table = {
    "open": open_,
    "dup": dup,
    "connect": connect,
    "send": send,
    "recv": recv,
    "fill": fill,
    "drain": drain,
    "shutdown": shutdown,
    "hangup": hangup,
    "abandon": abandon,
    "reuse": reuse,
}
