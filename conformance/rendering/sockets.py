"""Pairs of sockets, readers and writers, as lines of a script."""

from __future__ import annotations

from ..program import Program
from .scheduling import SHOWN_ROUNDS, LoopScript
from .script import Lines, Place, Script, Table, guarded, quoted
from .survey import Survey


def ours(script: Script, pair: int) -> str:
    """Our end of the pair, which stands at the top of the script."""
    name = f"ours{pair}"
    if kind := pipe_kind(script, pair):
        script.needs("os")
        ends = f"{name}, peer{pair}" if kind == "r" else f"peer{pair}, {name}"
        return script.state(name, f"{ends} = os.pipe()", f"os.set_blocking({name}, False)")
    if path := _plain_path(script, pair):
        script.needs("os")
        return script.state(name, f"{name} = os.open({path}, os.O_RDONLY)")
    script.needs("socket")
    if pair in script.survey.pairs("refused"):
        nobody = [f"peer{pair} = socket.socket()", f'peer{pair}.bind(("127.0.0.1", 0))']
        return script.state(name, f"{name} = socket.socket()", f"{name}.setblocking(False)", *nobody)
    script.state(name, f"{name}, peer{pair} = socket.socketpair()", f"{name}.setblocking(False)")
    return name


def pipe_kind(script: Script, pair: int) -> str:
    """For a pair that is a pipe, what our end does: "r" or "w"; one that is replaced counts as sockets."""
    made = [action for action in script.survey.nodes.values() if action[:2] == ("pipe", pair)]
    return str(made[0][2]) if made and pair not in script.survey.pairs("reuse") else ""


def _plain_path(script: Script, pair: int) -> str:
    """For a pair that is a plain file, what names it."""
    made = [action for action in script.survey.nodes.values() if action[:2] == ("plain", pair)]
    return {"file": "os.__file__", "null": "os.devnull"}[made[0][2]] if made else ""


def pipe(_script: Script, _place: Place, _pair: int, _text: str) -> Lines:
    """Seen when the pair is set up."""
    return []


def peer(script: Script, pair: int) -> str:
    ours(script, pair)
    return f"peer{pair}"


def number_of(script: Script, pair: int) -> str:
    """The fd number of our end, which outlives it."""
    if pipe_kind(script, pair) or _plain_path(script, pair):
        return ours(script, pair)
    return script.state(f"fd{pair}", f"fd{pair} = {ours(script, pair)}.fileno()")


def suppressed(script: Script, lines: Lines) -> Lines:
    script.needs("contextlib")
    return guarded("with contextlib.suppress(OSError)", lines)


def bytes_literal(count: int) -> str:
    return f'b"{"x" * count}"' if count <= 8 else f'b"x" * {count}'


def send(script: Script, _place: Place, pair: int, count: int) -> Lines:
    if pipe_kind(script, pair):
        return suppressed(script, [f"os.write({peer(script, pair)}, {bytes_literal(count)})"])
    line = f"{peer(script, pair)}.send({bytes_literal(count)})"
    breaking = script.survey.pairs("hangup", "abandon")
    return suppressed(script, [line]) if pair in breaking else [line]


def recv(script: Script, place: Place, pair: int, count: int) -> Lines:
    end = ours(script, pair)
    line = f"os.read({end}, {count})" if pipe_kind(script, pair) else f"{end}.recv({count})"
    expected = place.pair == pair and place.last and pair not in script.survey.pairs("abandon", "hangup")
    return [line] if expected else suppressed(script, [line])


def fill(script: Script, _place: Place, pair: int) -> Lines:
    end = ours(script, pair)
    call = f"os.write({end}, " if pipe_kind(script, pair) else f"{end}.send("
    return suppressed(script, ["while True:", f'    {call}b"x" * 65536)'])


def drain(script: Script, _place: Place, pair: int) -> Lines:
    name = peer(script, pair)
    if pipe_kind(script, pair):
        script.state(f"{name} waits", f"os.set_blocking({name}, False)")
        return suppressed(script, [f"while os.read({name}, 1 << 20):", "    pass"])
    script.state(f"{name} waits", f"{name}.setblocking(False)")
    return suppressed(script, [f"while {name}.recv(1 << 20):", "    pass"])


def hangup(script: Script, _place: Place, pair: int) -> Lines:
    if pipe_kind(script, pair):
        return suppressed(script, [f"os.close({peer(script, pair)})"])
    return [f"{peer(script, pair)}.close()"]


def abandon(script: Script, _place: Place, pair: int, text: str = "") -> Lines:
    name = ours(script, pair)
    piped = pipe_kind(script, pair)
    close = f"os.close({name})" if piped else f"{name}.close()"
    if text != "dup":
        return [close]
    script.state("kept_open", "kept_open = []")
    return [f"kept_open.append({f'os.dup({name})' if piped else f'{name}.dup()'})", close]


def reuse(script: Script, place: Place, pair: int) -> Lines:
    mine, other, fd = ours(script, pair), peer(script, pair), number_of(script, pair)
    script.state("kept_open", "kept_open = []")
    place.rebound |= {mine, other}
    return [
        f"kept_open.append({other})",
        f"{mine}, {other} = socket.socketpair()",
        f"assert {mine}.fileno() == {fd}",
        f"{mine}.setblocking(False)",
    ]


def reader(
    script: LoopScript, place: Place, pair: int, label: str, body: Program, text: str = "sock"
) -> Lines:
    return _watch(script, place, "reader", pair, label, body, text)


def writer(
    script: LoopScript, place: Place, pair: int, label: str, body: Program, text: str = "sock"
) -> Lines:
    return _watch(script, place, "writer", pair, label, body, text)


def _watch(
    script: LoopScript, place: Place, side: str, pair: int, label: str, body: Program, text: str
) -> Lines:
    watched = ours(script, pair) if text == "sock" else number_of(script, pair)
    head = [script.announcement(label)]
    if _may_spin(script.survey, side, pair, body):
        script.needs("from collections import Counter")
        script.state("runs", "runs = Counter()")
        key = quoted(label)
        fd = number_of(script, pair)
        head += [f"runs[{key}] += 1", f"if runs[{key}] == {SHOWN_ROUNDS}:", f"    loop.remove_{side}({fd})"]
    inner = Place(place.path, pair=pair)
    function = script.function_of(side, label, body, inner, head)
    return [f"loop.add_{side}({watched}, {function})"]


def _may_spin(survey: Survey, side: str, pair: int, body: Program) -> bool:
    """Whether the callback may stay ready for ever, on a loop that is sound or on one that is not."""
    if (f"un{side}", pair) in body:
        return False
    consumes = side == "reader" and any(action[:2] == ("recv", pair) and action[2] for action in body)
    return not consumes or pair in survey.pairs("hangup", "abandon")


def unreader(script: LoopScript, _place: Place, pair: int) -> Lines:
    return [f'print("remove_reader:", loop.remove_reader({number_of(script, pair)}))']


def unwriter(script: LoopScript, _place: Place, pair: int) -> Lines:
    return [f'print("remove_writer:", loop.remove_writer({number_of(script, pair)}))']


LINES: Table = {
    "reader": reader,
    "writer": writer,
    "unreader": unreader,
    "unwriter": unwriter,
    "pipe": pipe,
    "send": send,
    "recv": recv,
    "fill": fill,
    "drain": drain,
    "hangup": hangup,
    "abandon": abandon,
    "reuse": reuse,
}
