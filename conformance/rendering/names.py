"""Names, addresses and connections to them, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, indented, quoted, seconds

_DIAL = """\
def dial(letters, **options):
    ends, crowd = [socket.socket() for _ in letters], []
    for letter, end in zip(letters, ends):
        end.bind(("127.0.0.1", 0))
        if letter != "r":
            end.listen(0 if letter == "s" else 100)
        for _ in range(3 if letter == "s" else 0):  # a full queue answers nobody
            crowd.append(socket.socket())
            crowd[-1].setblocking(False)
            crowd[-1].connect_ex(end.getsockname())
    found = [(2, 1, 6, "", end.getsockname()) for end in ends]
    resolve, socket.getaddrinfo = socket.getaddrinfo, lambda *_, **__: found
    try:
        connecting = loop.create_connection(asyncio.Protocol, "names.test", 80, **options)
        transport, _ = loop.run_until_complete(connecting)
        reached = transport.get_extra_info("peername")
        print(letters, "reached number", [address for *_, address in found].index(reached))
        transport.abort()
    except Exception as error:
        print(letters, repr(error))
    finally:
        socket.getaddrinfo = resolve"""

_LITERAL = """\
def dial_literal(**options):
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = server.getsockname()
        connecting = loop.create_connection(asyncio.Protocol, *where, **options)
        transport, _ = loop.run_until_complete(connecting)
        print("connected to", where[0])
        transport.abort()"""


def look_up(script: LoopScript, _place: Place, text: str) -> Lines:
    hints: Lines = []
    if text.startswith("the name of "):
        call = f"loop.getnameinfo(({quoted(text.removeprefix('the name of '))}, 80), 3)"
    else:
        script.needs("socket")
        flags = {"nobody": "socket.AI_PASSIVE", "nonsense": "socket.AI_NUMERICHOST"}.get(text, "0")
        hints = [f'hints = {{"type": socket.SOCK_STREAM, "flags": {flags}}}']
        host = "None" if text == "nobody" else quoted(text)
        call = f"loop.getaddrinfo({host}, 80, **hints)"
    asking = [*hints, f"answer = {call}", "print(loop.run_until_complete(answer))"]
    return ["try:", *indented(asking), "except OSError as error:", "    print(repr(error))"]


def dial(
    script: LoopScript, _place: Place, text: str, ms: float | None = None, value: int | None = None
) -> Lines:
    script.needs("asyncio", "socket")
    options = [] if ms is None else [f"happy_eyeballs_delay={seconds(ms)}"]
    options += ["all_errors=True"] if value == 1 else []
    if text == "literal":
        script.define("dial_literal", *_LITERAL.splitlines())
        return [f"dial_literal({', '.join(options)})"]
    script.define("dial", *_DIAL.splitlines())
    return [f"dial({', '.join([quoted(text), *options])})"]


LINES: Table = {"look_up": look_up, "dial": dial}
