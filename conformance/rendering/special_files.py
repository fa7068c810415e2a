"""Files that are no connected sockets, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded
from .sockets import ours
from .transports import look


def plain(script: LoopScript, _place: Place, pair: int, _text: str) -> Lines:
    """Opened where the pair is set up."""
    ours(script, pair)
    return []


def refused(script: LoopScript, _place: Place, pair: int) -> Lines:
    ours(script, pair)
    return []


def connect(script: LoopScript, _place: Place, pair: int) -> Lines:
    if pair not in script.survey.pairs("refused"):
        return []
    return [f"{ours(script, pair)}.connect_ex(peer{pair}.getsockname())"]


def watch_link(script: LoopScript, place: Place, pair: int, text: str) -> Lines:
    look(script, place, pair)  # brings the transports along
    number = f'transports[{pair}].get_extra_info("socket").fileno()'
    arguments = [number, "int"] if text.startswith("add") else [number]
    return guarded(f"if {pair} in transports", script.attempt(f"loop.{text}", *arguments))


LINES: Table = {"plain": plain, "refused": refused, "connect": connect, "watch_link": watch_link}
