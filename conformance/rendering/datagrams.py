"""Datagrams, as lines of a script."""

from __future__ import annotations

from ..vocabulary.datagrams import UNIX_ENDPOINTS
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, indented
from .survey import DRAINING_MS

_TALKER = """\
class DatagramTalker(asyncio.DatagramProtocol):
    def __init__(self, number):
        self.number = number

    def connection_made(self, transport):
        endpoints[self.number] = transport
        print(self.number, "connection_made")

    def datagram_received(self, data, addr):
        print(self.number, "datagram_received", len(data), "bytes")

    def error_received(self, error):
        print(self.number, "error_received", repr(error))

    def connection_lost(self, error):
        print(self.number, "connection_lost", repr(error))"""

_PAUSED = """

    def pause_writing(self):
        print(self.number, "pause_writing")

    def resume_writing(self):
        print(self.number, "resume_writing")"""

_OPEN = """\
async def open_endpoint(number, **where):
    try:
        await loop.create_datagram_endpoint(lambda: DatagramTalker(number), **where)
    except Exception as error:
        print(number, repr(error))"""

_TAKE = """\
def take_datagrams(number):
    with contextlib.suppress(OSError):
        while True:
            print(number, "the peer receives", len(far_ends[number].recv(65536)), "bytes")"""


_DRAIN = f"""\
def drain_datagrams(number, times={DRAINING_MS}):
    take_datagrams(number)
    if times:
        loop.call_later(0.001, drain_datagrams, number, times - 1)"""


def _ways(script: LoopScript) -> dict[int, str]:
    made = [action for action in script.survey.nodes.values() if action[0] == "endpoint"]
    return {pair: way for _, pair, way in reversed(made)}


def _kinds(script: LoopScript) -> set[str]:
    return {action[0] for action in script.survey.nodes.values()}


def _unix(script: LoopScript, way: str, near: str, far: str) -> Lines:
    """The lines that make two connected sockets."""
    if way == "unnamed":
        return [f"{near}, {far} = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)"]
    script.needs("os", "tempfile")
    return [
        f"{near}, {far} = (socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2))",
        "folder = tempfile.TemporaryDirectory()",
        f'{near}.bind(os.path.join(folder.name, "near"))',
        f'{far}.bind(os.path.join(folder.name, "far"))',
        f"{near}.connect({far}.getsockname())",
    ]


def endpoint(script: LoopScript, place: Place, pair: int, text: str) -> Lines:
    script.needs("asyncio", "socket")
    script.state("endpoints", "endpoints = {}")
    script.state("errands", "errands = []")
    script.state("far_ends", "far_ends = {}")
    far = f"far_ends[{pair}]"
    if text in UNIX_ENDPOINTS:
        script.state(far, *_unix(script, text, f"near{pair}", far), f"{far}.setblocking(False)")
        where = f"sock=near{pair}"
    else:
        script.state(
            far,
            f"{far} = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
            f'{far}.bind(("127.0.0.1", 0))',
            f"{far}.setblocking(False)",
            f"address{pair} = {far}.getsockname()",
        )
        where = 'local_addr=("127.0.0.1", 0)'
        where += f", remote_addr=address{pair}" if text == "connected" else ""
    talker = _TALKER + _PAUSED if "burst" in _kinds(script) else _TALKER
    script.define("DatagramTalker", *talker.splitlines())
    script.define("open_endpoint", *_OPEN.splitlines())
    made = f"open_endpoint({pair}, {where})"
    lines = [f"opening = {made}", "errands.append(loop.create_task(opening))"]
    return guarded(f"if {pair} not in endpoints" if script.survey.repeats(place.path) else "", lines)


def _on(script: LoopScript, pair: int, lines: Lines) -> Lines:
    return guarded(f"if {pair} in endpoints", lines) if pair in _ways(script) else []


def sendto(script: LoopScript, _place: Place, pair: int, size: int) -> Lines:
    return _on(script, pair, _sent(script, pair, f"bytes({size})"))


def burst(script: LoopScript, _place: Place, pair: int, count: int, size: int) -> Lines:
    lines = _sent(script, pair, f"bytes({size} + i)")
    return _on(script, pair, [f"for i in range({count}):", *indented(lines)])


def _sent(script: LoopScript, pair: int, data: str) -> Lines:
    to = [f"address{pair}"] if _ways(script).get(pair) == "bound" else []
    return script.attempt(f"endpoints[{pair}].sendto", data, *to)


def close_endpoint(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _on(script, pair, script.attempt(f"endpoints[{pair}].close"))


def datagram(script: LoopScript, _place: Place, pair: int, size: int) -> Lines:
    if _ways(script).get(pair) == "unnamed":
        return _on(script, pair, [f"far_ends[{pair}].send(bytes({size}))"])
    name = f'endpoints[{pair}].get_extra_info("sockname")'
    return _on(script, pair, [f"far_ends[{pair}].sendto(bytes({size}), {name})"])


def take_datagrams(script: LoopScript, _place: Place, pair: int) -> Lines:
    script.needs("contextlib")
    script.define("take_datagrams", *_TAKE.splitlines())
    return _on(script, pair, [f"take_datagrams({pair})"])


def drain_datagrams(script: LoopScript, place: Place, pair: int) -> Lines:
    take_datagrams(script, place, pair)
    script.define("drain_datagrams", *_DRAIN.splitlines())
    return _on(script, pair, [f"drain_datagrams({pair})"])


def look_endpoint(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _on(script, pair, [f'print({pair}, "keeps", endpoints[{pair}].get_write_buffer_size(), "bytes")'])


def no_peer(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _on(script, pair, [f"far_ends[{pair}].close()"])


LINES: Table = {
    "endpoint": endpoint,
    "sendto": sendto,
    "burst": burst,
    "close_endpoint": close_endpoint,
    "datagram": datagram,
    "take_datagrams": take_datagrams,
    "drain_datagrams": drain_datagrams,
    "look_endpoint": look_endpoint,
    "no_peer": no_peer,
}
