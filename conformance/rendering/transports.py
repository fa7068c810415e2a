"""Connections, their protocols and their peers, as lines of a script."""

from __future__ import annotations

from ..player.connections import PERIOD, SEND_BUFFER_BYTES
from ..player.transports import REACTIONS
from ..program import Program
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted

_PAYLOAD = f"""\
PATTERN = bytes(random.Random(1).choices(range(1, 256), k={PERIOD}))


def payload(start, size):
    begin = start % {PERIOD}
    return (PATTERN * (size // {PERIOD} + 2))[begin : begin + size]"""

_TALKER = """\
class Talker(asyncio.Protocol):
    def __init__(self, number):
        self.number = number

    def told(self, name, *seen):
        print(self.number, name, *seen)
        told[self.number, name] += 1
        if told[self.number, name] <= {limit}:
            reactions.get((self.number, name), list)()

    def connection_made(self, transport):
        transports[self.number] = transport{made}
        self.told("connection_made")

    def data_received(self, data):
        start = told[self.number]
        told[self.number] += len(data)
        intact = data == payload(start, len(data))
        self.told("data_received", len(data), "as sent" if intact else "DAMAGED")

    def eof_received(self):
        self.told("eof_received")
        return self.number in keeps_open

    def connection_lost(self, error):
        self.told("connection_lost", repr(error))

    def pause_writing(self):
        self.told("pause_writing")

    def resume_writing(self):
        self.told("resume_writing")"""

_BUFFERED = """\
class BufferedTalker(Talker, asyncio.BufferedProtocol):
    def __init__(self, number, size):
        super().__init__(number)
        self.size = size

    def get_buffer(self, sizehint):
        self.told("get_buffer")
        self.buffer = bytearray(self.size)
        return self.buffer

    def buffer_updated(self, size):
        self.data_received(bytes(self.buffer[:size]))


def talker(number):
    sizes = {"buffered": 65536, "small buffer": 64, "empty buffer": 0}
    kind = kinds.get(number, "streaming")
    return Talker(number) if kind == "streaming" else BufferedTalker(number, sizes[kind])"""

_CONNECT = """\
async def connect(number, **where):
    try:
        await loop.create_connection(lambda: {factory}(number), **where)
    except Exception as error:
        print(number, repr(error))"""

_LET_CONNECT = """\
async def let_connect(number):
    server = await loop.create_server(lambda: {factory}(number), "127.0.0.1", 0)
    errands.append(server)
    remotes[number] = socket.create_connection(server.sockets[0].getsockname())
    remotes[number].setblocking(False)"""

_ACCEPTED = """
        if self.number in listeners:
            remotes[self.number], _ = listeners[self.number].accept()
            remotes[self.number].setblocking(False)"""
_SMALLER = """
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, {size})"""

_WRITE = """\
def write(number, size, kind="bytes"):
    if number not in transports:
        return
    data = payload(written[number], size)
    written[number] += size
    if kind == "lines":
        attempt(transports[number].writelines, [data[: size // 3], data[size // 3 :]])
        return
    buffer = data if kind == "bytes" else bytearray(data)
    attempt(transports[number].write, memoryview(buffer) if kind == "memoryview" else buffer)
    if kind == "mutated":
        buffer[:] = bytes(size)"""

_LOOK = """\
def look(number):
    if number in transports:
        transport = transports[number]
        print(number, "closing:", transport.is_closing(), end=", ")
        print("buffered:", transport.get_write_buffer_size(), end=", ")
        print("limits:", transport.get_write_buffer_limits())"""

_SEND = """\
def send(number, size):
    with contextlib.suppress(OSError, KeyError):
        sent[number] += remotes[number].send(payload(sent[number], size))"""

_TAKE = """\
def take(number, size):
    with contextlib.suppress(OSError, KeyError):
        received[number].append(remotes[number].recv(size))"""

_READ = """\
def read_all(number):
    remote = remotes[number]
    with contextlib.suppress(OSError, ValueError):
        while select.select([remote], [], []) and (data := remote.recv(65536)):
            received[number].append(data)


def start_reading(number):
    if number in remotes and number not in readers:
        readers[number] = threading.Thread(target=read_all, args=[number], daemon=True)
        readers[number].start()"""

_LEAVE = """\
def leave(number):
    with contextlib.suppress(OSError, KeyError):
        remotes[number].shutdown(socket.SHUT_RDWR)
    with contextlib.suppress(KeyError):
        remotes[number].close()"""

_RESET = """\
def reset(number):
    with contextlib.suppress(OSError, KeyError):
        at_once = struct.pack("ii", 1, 0)
        remotes[number].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        remotes[number].close()"""

_HEAR = """\
def hear(number):
    if number in readers:
        readers[number].join(1)
        ended = "still waits" if readers[number].is_alive() else "is at the end"
        data = b"".join(received[number])
        intact = "as written" if data == payload(0, len(data)) else "DAMAGED"
        print(number, f"the peer {ended}, it received {len(data)} bytes", intact)"""

_SENDFILE = """\
async def send_file(number, size, offset, count, fallback):
    with tempfile.TemporaryFile() as file:
        file.write(bytes(min(offset, size)) + payload(written[number], size - min(offset, size)))
        file.flush()
        promised = max(0, size - offset)
        written[number] += min(promised, count) if count else promised
        try:
            sent = await loop.sendfile(
                transports[number], file, offset, count or None, fallback=fallback
            )
            print(number, "sendfile:", sent)
        except Exception as error:
            print(number, "sendfile:", repr(error))"""


def _ways(script: LoopScript) -> dict[int, str]:
    """How each of the connections comes about."""
    links = [action for action in script.survey.nodes.values() if action[0] == "link"]
    return {pair: way for _, pair, way in reversed(links)}


def set_up_remotes(script: LoopScript) -> None:
    """The peers, and what they are connected with; they stand at the top of the script."""
    script.state("remotes", "remotes = {}")
    for pair, way in sorted(_ways(script).items()):
        script.needs("socket")
        if way == "client":
            script.state("listeners", "listeners = {}")
            script.state(f"listeners {pair}", f'listeners[{pair}] = socket.create_server(("127.0.0.1", 0))')
        if way not in ("unix", "tcp"):
            continue
        ours, remote = f"sides[{pair}]", f"remotes[{pair}]"
        made = [f"{ours}, {remote} = socket.socketpair()"]
        if way == "tcp":
            made = [
                'listener = socket.create_server(("127.0.0.1", 0))',
                f"{remote} = socket.create_connection(listener.getsockname())",
                f"{ours}, _ = listener.accept()",
            ]
        script.state("sides", "sides = {}")
        script.state(
            f"sides {pair}",
            *made,
            f"{ours}.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, {SEND_BUFFER_BYTES})",
            f"{ours}.setblocking(False)",
            f"{remote}.setblocking(False)",
        )


def _payload(script: LoopScript) -> None:
    script.needs("random")
    script.define("payload", *_PAYLOAD.splitlines())


def factory_of(script: LoopScript) -> str:
    """What makes protocols."""
    script.needs("asyncio", "from collections import Counter")
    script.state("told", "told = Counter()")
    script.state("reactions", "reactions = {}")
    script.state("transports", "transports = {}")
    script.state("keeps_open", "keeps_open = set()")
    _payload(script)
    ways = set(_ways(script).values())
    made = _ACCEPTED if "client" in ways else ""
    if ways & {"client", "server"}:
        made += _SMALLER.format(size=SEND_BUFFER_BYTES)
    script.define("Talker", *_TALKER.format(limit=REACTIONS, made=made).splitlines())
    if "protocol" not in script.survey.kinds:
        return "Talker"
    script.state("kinds", "kinds = {}")
    script.define("BufferedTalker", *_BUFFERED.splitlines())
    return "talker"


def connecting(script: LoopScript) -> None:
    """The coroutine ``connect(number, …)``, and the list of those under way."""
    script.state("errands", "errands = []")
    script.define("connect", *_CONNECT.format(factory=factory_of(script)).splitlines())


def link(script: LoopScript, place: Place, pair: int, _text: str) -> Lines:
    factory = factory_of(script)
    script.state("errands", "errands = []")
    set_up_remotes(script)
    way = _ways(script)[pair]
    if way == "server":
        script.define("let_connect", *_LET_CONNECT.format(factory=factory).splitlines())
        made = f"let_connect({pair})"
    else:
        connecting(script)
        made = f"connect({pair}, sock=sides.pop({pair}))"
        if way == "client":
            made = f'connect({pair}, host="127.0.0.1", port=listeners[{pair}].getsockname()[1])'
    several = sum(action[:2] == ("link", pair) for action in script.survey.nodes.values()) > 1
    once = f"if {pair} in sides" if way in ("unix", "tcp") else f"if {pair} not in transports"
    lines = [f"errands.append(loop.create_task({made}))"]
    return guarded(once if several or script.survey.repeats(place.path) else "", lines)


def protocol(script: LoopScript, _place: Place, pair: int, text: str) -> Lines:
    factory = factory_of(script)
    lines = [f"kinds[{pair}] = {quoted(text)}"]
    calls = script.attempt(f"transports[{pair}].set_protocol", f"{factory}({pair})")
    return [*lines, *guarded(f"if {pair} in transports", calls)]


def on(script: LoopScript, place: Place, pair: int, text: str, body: Program) -> Lines:
    factory_of(script)
    function = script.function_of("on", f"on_{text}_{pair}", body, Place(place.path), [])
    return [f"reactions[{pair}, {quoted(text)}] = {function}"]


def fail(script: LoopScript, place: Place) -> Lines:
    inside = len(place.path) > 1 and script.survey.nodes[place.path[:-1]][0] == "on"
    return ['raise ValueError("raised by the program")'] if inside else []


def keep_open(script: LoopScript, _place: Place, pair: int) -> Lines:
    factory_of(script)
    return [f"keeps_open.add({pair})"]


def write(script: LoopScript, _place: Place, pair: int, size: int, text: str = "bytes") -> Lines:
    factory_of(script)
    script.state("written", "written = Counter()")
    script.attempt()
    script.define("write", *_WRITE.splitlines())
    kind = "" if text == "bytes" else f", {quoted(text)}"
    return [f"write({pair}, {size}{kind})"]


def _call(script: LoopScript, pair: int, method: str, *arguments: object) -> Lines:
    factory_of(script)
    call = script.attempt(f"transports[{pair}].{method}", *map(str, arguments))
    return guarded(f"if {pair} in transports", call)


def write_eof(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _call(script, pair, "write_eof")


def close_link(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _call(script, pair, "close")


def abort(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _call(script, pair, "abort")


def pause_reading(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _call(script, pair, "pause_reading")


def resume_reading(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _call(script, pair, "resume_reading")


def limits(script: LoopScript, _place: Place, pair: int, high: int, low: int | None = None) -> Lines:
    return _call(script, pair, "set_write_buffer_limits", high, low)


def look(script: LoopScript, _place: Place, pair: int) -> Lines:
    factory_of(script)
    script.define("look", *_LOOK.splitlines())
    return [f"look({pair})"]


def sendfile(
    script: LoopScript, _place: Place, pair: int, size: int, offset: int, count: int, text: str
) -> Lines:
    factory_of(script)
    script.needs("tempfile")
    script.state("written", "written = Counter()")
    script.state("errands", "errands = []")
    script.define("send_file", *_SENDFILE.splitlines())
    made = f"send_file({pair}, {size}, {offset}, {count}, {text == 'fallback'})"
    return guarded(f"if {pair} in transports", [f"errands.append(loop.create_task({made}))"])


def _of_peer(script: LoopScript, name: str, text: str, *arguments: int) -> Lines:
    set_up_remotes(script)
    script.needs("contextlib", *(["socket"] if "socket." in text else []))
    script.define(name, *text.splitlines())
    return [f"{name}({', '.join(map(str, arguments))})"]


def peer_send(script: LoopScript, _place: Place, pair: int, size: int) -> Lines:
    script.needs("from collections import Counter")
    script.state("sent", "sent = Counter()")
    _payload(script)
    return _of_peer(script, "send", _SEND, pair, size)


def _received(script: LoopScript) -> None:
    script.needs("from collections import defaultdict")
    script.state("received", "received = defaultdict(list)")
    script.state("readers", "readers = {}")


def peer_recv(script: LoopScript, _place: Place, pair: int, size: int) -> Lines:
    _received(script)
    reading = ("peer_reads", pair) in script.survey.nodes.values()
    return guarded(
        f"if {pair} not in readers" if reading else "", _of_peer(script, "take", _TAKE, pair, size)
    )


def peer_reads(script: LoopScript, _place: Place, pair: int) -> Lines:
    _received(script)
    script.needs("select", "threading")
    _of_peer(script, "read_all", _READ)
    return [f"start_reading({pair})"]


def peer_eof(script: LoopScript, _place: Place, pair: int) -> Lines:
    set_up_remotes(script)
    script.needs("contextlib", "socket")
    return [
        "with contextlib.suppress(OSError, KeyError):",
        f"    remotes[{pair}].shutdown(socket.SHUT_WR)",
    ]


def peer_close(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _of_peer(script, "leave", _LEAVE, pair)


def peer_reset(script: LoopScript, _place: Place, pair: int) -> Lines:
    script.needs("struct")
    return _of_peer(script, "reset", _RESET, pair)


def hear(script: LoopScript, _place: Place, pair: int) -> Lines:
    _received(script)
    _payload(script)
    return _of_peer(script, "hear", _HEAR, pair)


LINES: Table = {
    "link": link,
    "protocol": protocol,
    "on": on,
    "fail": fail,
    "keep_open": keep_open,
    "write": write,
    "write_eof": write_eof,
    "close_link": close_link,
    "abort": abort,
    "pause_reading": pause_reading,
    "resume_reading": resume_reading,
    "limits": limits,
    "look": look,
    "sendfile": sendfile,
    "peer_send": peer_send,
    "peer_recv": peer_recv,
    "peer_reads": peer_reads,
    "peer_eof": peer_eof,
    "peer_close": peer_close,
    "peer_reset": peer_reset,
    "hear": hear,
}
