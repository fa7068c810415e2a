"""Pipes, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, indented
from .transports import factory_of

_END = """\
class End:
    def __init__(self, fd):
        self.fd = fd
        os.set_blocking(fd, False)

    def fileno(self):
        return self.fd

    def send(self, data):
        return os.write(self.fd, data)

    def recv(self, size):
        return os.read(self.fd, size)

    def shutdown(self, how):
        pass  # a pipe has one direction

    def close(self):
        os.close(self.fd)"""


_TURNED = "ours, peer = (reader, writer) if reading else (writer, reader)"
_OPENING = {
    "pipe": ["reader, writer = os.pipe()", _TURNED],
    "pty": ["peer, ours = pty.openpty()", "tty.setraw(ours)"],
    "fifo": [
        "with tempfile.TemporaryDirectory() as folder:",
        '    os.mkfifo(f"{folder}/fifo")',
        '    reader = os.open(f"{folder}/fifo", os.O_RDONLY | os.O_NONBLOCK)',
        '    writer = os.open(f"{folder}/fifo", os.O_WRONLY)',
        _TURNED,
    ],
}
_MODULES = {"pty": ["pty", "tty"], "fifo": ["tempfile"], "file": ["tempfile"], "socket": ["socket"]}


def _opened(script: LoopScript, pair: int, kind: str, *, reading: bool) -> Lines:
    """Open such a file: our end in ``sides``, the peer's in ``remotes``."""
    script.state("sides", "sides = {}")
    script.state("remotes", "remotes = {}")
    script.needs(*_MODULES.get(kind, ()))
    if kind == "file":
        return [f"sides[{pair}] = tempfile.TemporaryFile()"]
    if kind == "socket":
        return [
            f"sides[{pair}], remotes[{pair}] = socket.socketpair()",
            f"remotes[{pair}].setblocking(False)",
        ]
    script.needs("os")
    script.define("End", *_END.splitlines())
    if kind == "folder":
        return [f'sides[{pair}] = End(os.open("/", os.O_RDONLY))']
    ending = [
        'sides[number] = open(ours, "rb" if reading else "wb", buffering=0)',
        "remotes[number] = End(peer)",
    ]
    script.define(
        f"open_{kind}", f"def open_{kind}(number, *, reading):", *indented([*_OPENING[kind], *ending])
    )
    return [f"open_{kind}({pair}, reading={reading})"]


def read_pipe(script: LoopScript, place: Place, pair: int, text: str) -> Lines:
    return _connect(script, place, pair, text, reading=True)


def write_pipe(script: LoopScript, place: Place, pair: int, text: str) -> Lines:
    return _connect(script, place, pair, text, reading=False)


def _connect(script: LoopScript, place: Place, pair: int, kind: str, *, reading: bool) -> Lines:
    opened = _opened(script, pair, kind, reading=reading)
    script.state("errands", "errands = []")
    talker = factory_of(script)
    script.define(
        "connect_pipe",
        "async def connect_pipe(number, connect):",
        *indented(
            [
                "try:",
                f"    await connect(lambda: {talker}(number), sides.pop(number))",
                "except Exception as error:",
                "    print(number, repr(error))",
            ]
        ),
    )
    method = "loop.connect_read_pipe" if reading else "loop.connect_write_pipe"
    lines = [*opened, f"errands.append(loop.create_task(connect_pipe({pair}, {method})))"]
    several = sum(made[:2] in [(kind, pair) for kind in LINES] for made in script.survey.nodes.values())
    repeated = several > 1 or script.survey.repeats(place.path)
    return guarded(f"if {pair} not in remotes" if repeated else "", lines)


LINES: Table = {
    "read_pipe": read_pipe,
    "write_pipe": write_pipe,
}
