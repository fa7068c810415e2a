"""Pairs of sockets, readers and writers, as lines of a script."""

from __future__ import annotations

from .program import Program
from .rendering_scheduling import SHOWN_ROUNDS, LoopScript
from .rendering_script import Lines, Place, Script, guarded
from .rendering_survey import Survey


def ours(script: Script, pair: int) -> str:
    """Our end of the pair, which stands at the top of the script."""
    script.needs("socket")
    name = f"ours{pair}"
    script.state(name, f"{name}, peer{pair} = socket.socketpair()", f"{name}.setblocking(False)")
    return name


def peer(script: Script, pair: int) -> str:
    ours(script, pair)
    return f"peer{pair}"


def number_of(script: Script, pair: int) -> str:
    """The fd number of our end, which outlives it."""
    return script.state(f"fd{pair}", f"fd{pair} = {ours(script, pair)}.fileno()")


def suppressed(script: Script, lines: Lines) -> Lines:
    script.needs("contextlib")
    return guarded("with contextlib.suppress(OSError)", lines)


def bytes_literal(count: int) -> str:
    return f'b"{"x" * count}"' if count <= 8 else f'b"x" * {count}'


def send(script: Script, _place: Place, pair: int, count: int) -> Lines:
    line = f"{peer(script, pair)}.send({bytes_literal(count)})"
    breaking = script.survey.pairs("hangup", "abandon", "shutdown")
    return suppressed(script, [line]) if pair in breaking else [line]


def recv(script: Script, place: Place, pair: int, count: int) -> Lines:
    line = f"{ours(script, pair)}.recv({count})"
    expected = place.pair == pair and place.last and pair not in script.survey.pairs("abandon", "hangup")
    return [line] if expected else suppressed(script, [line])


def fill(script: Script, _place: Place, pair: int) -> Lines:
    return suppressed(script, ["while True:", f'    {ours(script, pair)}.send(b"x" * 65536)'])


def drain(script: Script, _place: Place, pair: int) -> Lines:
    name = peer(script, pair)
    script.state(f"{name} waits", f"{name}.setblocking(False)")
    return suppressed(script, [f"while {name}.recv(1 << 20):", "    pass"])


def shutdown(script: Script, _place: Place, pair: int) -> Lines:
    return suppressed(script, [f"{peer(script, pair)}.shutdown(socket.SHUT_WR)"])


def hangup(script: Script, _place: Place, pair: int) -> Lines:
    return [f"{peer(script, pair)}.close()"]


def abandon(script: Script, _place: Place, pair: int, text: str = "") -> Lines:
    name = ours(script, pair)
    if text != "dup":
        return [f"{name}.close()"]
    script.state("kept_open", "kept_open = []")
    return [f"kept_open.append({name}.dup())", f"{name}.close()"]


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
        key = script.announcement_key(label)
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
