"""Connections under TLS, as lines of a script."""

from __future__ import annotations

from ..player.tls_peer import ANSWER, CERTIFICATE, GREETING
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted, seconds
from .transports import connecting, factory_of


def _literal(data: bytes) -> str:
    return f'b"{repr(data)[2:-1]}"'


_CONTEXT = """\
def tls_context(*, serving, trusting=True):
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/certificate.pem"
        with open(path, "w") as file:
            file.write(CERTIFICATE)
        if serving:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
            context.num_tickets = 0
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if trusting:
                context.load_verify_locations(path)
    return context"""

_END = f"""\
class TlsEnd:
    def __init__(self, sock, manner, *, serving, upgraded=False):
        sock.settimeout(2)
        self.sock, self.manner = sock, manner
        self.greeter = threading.Thread(target=self.greet, args=[serving, upgraded], daemon=True)
        self.greeter.start()

    def greet(self, serving, upgraded):
        with contextlib.suppress(OSError):
            if upgraded:
                self.sock.sendall({_literal(GREETING)})
                if not serving:
                    self.sock.recv({len(ANSWER)})
            if self.manner == "silent":
                return
            if serving and self.manner in ("plain", "vanishing", "resetting"):
                self.sock.recv(65536)
            if self.manner == "plain":
                self.sock.sendall(b"220 this side has never heard of TLS\\r\\n")
            elif self.manner in ("vanishing", "resetting"):
                self.sock.sendall(bytes([22, 3, 3, 0]))
                if self.manner == "resetting":
                    at_once = struct.pack("ii", 1, 0)
                    self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
                self.sock.close()
            else:
                self.shake_hands(serving)

    def shake_hands(self, serving):
        context = tls_context(serving=serving, trusting=self.manner != "unknown")
        if self.manner == "tls 1.2":
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        name = None if serving else "localhost"
        self.sock = context.wrap_socket(self.sock, server_side=serving, server_hostname=name)
        self.sock.settimeout(0.1)

    def fileno(self):
        return self.sock.fileno()

    def send(self, data):
        self.greeter.join(0.1)
        return self.sock.send(data)

    def recv(self, size):
        self.greeter.join(0.1)
        if not isinstance(self.sock, ssl.SSLSocket):
            raise OSError("nobody speaks TLS here")
        data = self.sock.recv(size)
        if size and not data and self.manner != "rude":
            self.unwrap()
        return data

    def unwrap(self):
        with contextlib.suppress(OSError, ValueError):
            self.sock.unwrap()

    def shutdown(self, how):
        if how == socket.SHUT_WR:
            self.unwrap()
        else:
            self.sock.shutdown(how)

    def setsockopt(self, *option):
        self.sock.setsockopt(*option)

    def close(self):
        self.sock.close()"""

_LET_CONNECT = """\
async def let_connect_by_tls(number, manner, **limits):
    try:
        server = await loop.create_server(
            lambda: {factory}(number), "127.0.0.1", 0, ssl=tls_context(serving=True), **limits
        )
    except Exception as error:
        print(number, repr(error))
        return
    errands.append(server)
    client = socket.create_connection(server.sockets[0].getsockname())
    remotes[number] = TlsEnd(client, manner, serving=False)"""

_START_TLS = f"""\
class Greeted(asyncio.Protocol):
    def __init__(self, greeted):
        self.greeted = greeted

    def data_received(self, data):
        if not self.greeted.done():
            self.greeted.set_result(data)


async def connect_and_start_tls(number, sock, context, **how):
    try:
        greeted = loop.create_future()
        plain, _ = await loop.create_connection(lambda: Greeted(greeted), sock=sock)
        await greeted
        if "server_side" in how:
            plain.write({_literal(ANSWER)})
        protocol = {{factory}}(number)
        protocol.connection_made(await loop.start_tls(plain, protocol, context, **how))
    except Exception as error:
        print(number, repr(error))"""


def _said_before(script: LoopScript, kind: str, pair: int) -> tuple[object, ...]:
    """The arguments of the action of that kind about this pair, if there is one."""
    return next((action[2:] for action in script.survey.nodes.values() if action[:2] == (kind, pair)), ())


def tls_peer(_script: LoopScript, _place: Place, _pair: int, _text: str) -> Lines:
    return []  # it is told where they are connected


def tls_limits(
    _script: LoopScript, _place: Place, _pair: int, _handshake_ms: float, _shutdown_ms: float
) -> Lines:
    return []


def tls_link(script: LoopScript, place: Place, pair: int, text: str) -> Lines:
    script.needs("contextlib", "socket", "ssl", "struct", "tempfile", "threading")
    script.state("remotes", "remotes = {}")
    script.state("CERTIFICATE", f'CERTIFICATE = """\\\n{CERTIFICATE.read_text("ascii")}"""')
    factory = factory_of(script)
    connecting(script)
    script.define("tls_context", *_CONTEXT.splitlines())
    script.define("TlsEnd", *_END.splitlines())
    manner = str(*_said_before(script, "tls_peer", pair)) or "sound"
    names = ("ssl_handshake_timeout", "ssl_shutdown_timeout")
    given = zip(names, _said_before(script, "tls_limits", pair), strict=False)
    limits = [f"how[{quoted(name)}] = {seconds(ms)}" for name, ms in given]
    if text == "server":
        script.define("let_connect_by_tls", *_LET_CONNECT.format(factory=factory).splitlines())
        lines = ["how = {}", *limits, f"making = let_connect_by_tls({pair}, {quoted(manner)}, **how)"]
    else:
        lines = _connect(script, pair, text, manner, limits)
    lines.append("errands.append(loop.create_task(making))")
    several = sum(action[:2] == ("tls_link", pair) for action in script.survey.nodes.values()) > 1
    return guarded(f"if {pair} not in remotes" if several or script.survey.repeats(place.path) else "", lines)


def _connect(script: LoopScript, pair: int, way: str, manner: str, limits: Lines) -> Lines:
    serving, upgraded = way == "start_tls server", way.startswith("start_tls")
    name = "elsewhere.example" if manner == "wrong name" else "localhost"
    trusting = ", trusting=False" if manner == "unknown" and not serving else ""
    context = f"tls_context(serving={serving}{trusting})"
    side = '"server_side": True' if serving else f'"server_hostname": {quoted(name)}'
    opened = ["ours, peer = socket.socketpair()"]
    if way == "client over tcp":
        opened = [
            'with socket.create_server(("127.0.0.1", 0)) as listener:',
            "    peer = socket.create_connection(listener.getsockname())",
            "    ours, _ = listener.accept()",
        ]
    making = f"connect({pair}, sock=ours, ssl=context, **how)"
    if upgraded:
        script.define("Greeted", *_START_TLS.format(factory=factory_of(script)).splitlines())
        making = f"connect_and_start_tls({pair}, ours, context, **how)"
    return [
        *opened,
        "ours.setblocking(False)",
        f"remotes[{pair}] = TlsEnd(peer, {quoted(manner)}, serving={not serving}, upgraded={upgraded})",
        f"context = {context}",
        f"how = {{{side}}}",
        *limits,
        f"making = {making}",
    ]


LINES: Table = {
    "tls_peer": tls_peer,
    "tls_limits": tls_limits,
    "tls_link": tls_link,
}
