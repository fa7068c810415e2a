"""Datagrams, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded

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

_OPEN = """\
async def open_endpoint(number, **where):
    try:
        await loop.create_datagram_endpoint(
            lambda: DatagramTalker(number), local_addr=("127.0.0.1", 0), **where
        )
    except Exception as error:
        print(number, repr(error))"""

_TAKE = """\
def take_datagrams(number):
    with contextlib.suppress(OSError):
        while True:
            print(number, "the peer receives", len(far_ends[number].recv(65536)), "bytes")"""


def _ways(script: LoopScript) -> dict[int, str]:
    made = [action for action in script.survey.nodes.values() if action[0] == "endpoint"]
    return {pair: way for _, pair, way in reversed(made)}


def endpoint(script: LoopScript, place: Place, pair: int, text: str) -> Lines:
    script.needs("asyncio", "socket")
    script.state("endpoints", "endpoints = {}")
    script.state("errands", "errands = []")
    script.state("far_ends", "far_ends = {}")
    far = f"far_ends[{pair}]"
    script.state(
        far,
        f"{far} = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)",
        f'{far}.bind(("127.0.0.1", 0))',
        f"{far}.setblocking(False)",
        f"address{pair} = {far}.getsockname()",
    )
    script.define("DatagramTalker", *_TALKER.splitlines())
    script.define("open_endpoint", *_OPEN.splitlines())
    remote = f", remote_addr=address{pair}" if text == "connected" else ""
    made = f"open_endpoint({pair}{remote})"
    lines = [f"errands.append(loop.create_task({made}))"]
    return guarded(f"if {pair} not in endpoints" if script.survey.repeats(place.path) else "", lines)


def _on(script: LoopScript, pair: int, lines: Lines) -> Lines:
    return guarded(f"if {pair} in endpoints", lines) if pair in _ways(script) else []


def sendto(script: LoopScript, _place: Place, pair: int, size: int) -> Lines:
    to = [] if _ways(script).get(pair) == "connected" else [f"address{pair}"]
    return _on(script, pair, script.attempt(f"endpoints[{pair}].sendto", f"bytes({size})", *to))


def close_endpoint(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _on(script, pair, script.attempt(f"endpoints[{pair}].close"))


def datagram(script: LoopScript, _place: Place, pair: int, size: int) -> Lines:
    name = f'endpoints[{pair}].get_extra_info("sockname")'
    return _on(script, pair, [f"far_ends[{pair}].sendto(bytes({size}), {name})"])


def take_datagrams(script: LoopScript, _place: Place, pair: int) -> Lines:
    script.needs("contextlib")
    script.define("take_datagrams", *_TAKE.splitlines())
    return _on(script, pair, [f"take_datagrams({pair})"])


def no_peer(script: LoopScript, _place: Place, pair: int) -> Lines:
    return _on(script, pair, [f"far_ends[{pair}].close()"])


LINES: Table = {
    "endpoint": endpoint,
    "sendto": sendto,
    "close_endpoint": close_endpoint,
    "datagram": datagram,
    "take_datagrams": take_datagrams,
    "no_peer": no_peer,
}
