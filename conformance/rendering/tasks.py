"""Futures and tasks, as lines of a script."""

from __future__ import annotations

from ..program import Program
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted, seconds
from .survey import PROMISES


def future(script: LoopScript, place: Place, label: str) -> Lines:
    name = script.promise(label)
    return _made_once(script, place, label, [f"{name} = loop.create_future()"]) if name else []


def _made_once(script: LoopScript, place: Place, label: str, lines: Lines) -> Lines:
    """A second future or task of the same label is not made."""
    several = len(script.sources(PROMISES, label)) > 1 or script.survey.repeats(place.path)
    dictionary = script.promise(label).endswith("]")
    return guarded(f"if {quoted(label)} not in futures" if several and dictionary else "", lines)


def on_done(
    script: LoopScript, place: Place, awaited: str, label: str, body: Program, value: int | None = None
) -> Lines:
    name = script.promise(awaited)
    if not name:
        return []
    function = script.callback(label, body, place, "done")
    line = f"{name}.add_done_callback({function}{script.in_context(value)})"
    return script.with_promise(place, awaited, [line])


def resolve(script: LoopScript, place: Place, label: str) -> Lines:
    name = script.promise(label)
    if not name or script.is_task(label):
        return []
    settling = script.survey.paths(frozenset({"resolve", "cancel_future"}), label)
    lines = [f"{name}.set_result(None)"]
    if len(settling) > 1 or script.survey.repeats(place.path):
        lines = guarded(f"if not {name}.done()", lines)
    return script.with_promise(place, label, lines)


def cancel_future(script: LoopScript, place: Place, label: str, text: str | None = None) -> Lines:
    name = script.promise(label)
    if not name:
        return []
    message = "" if text is None else f"msg={quoted(text)}"
    return script.with_promise(
        place, label, [f'print({quoted(label)}, "cancel():", {name}.cancel({message}))']
    )


def cancel_task(script: LoopScript, place: Place, label: str, text: str | None = None) -> Lines:
    return cancel_future(script, place, label, text) if script.is_task(label) else []


def task(script: LoopScript, place: Place, label: str, body: Program, count: int = 0) -> Lines:
    said = quoted(label)
    waits = any(action[0] in ("await", "yield", "pause") for action in body)
    steps: Program = (*body, ("ends",)) if waits else body
    if waits and count:
        script.state("swallows", "swallows = {}")
    inner = Place(place.path, task=label)
    function = script.function_of(
        "task", label, steps, inner, [f'print({said}, "starts")' if waits else f"print({said})"]
    )
    name = script.promise(label)
    create = f"{name} = loop.create_task({function}())" if name else f"loop.create_task({function}())"
    swallow = [f"swallows[{said}] = {count}"] if waits and count else []
    return _made_once(script, place, label, [*swallow, create])


def ends(_script: LoopScript, place: Place) -> Lines:
    """Not part of the vocabulary: the last step of a task that waits for something."""
    return [f'print({quoted(place.task)}, "ends")']


def await_(script: LoopScript, place: Place, label: str) -> Lines:
    name = script.promise(label)
    if not name or label == place.task:
        return []
    return script.with_promise(place, label, _awaiting(script, place, name))


def yield_(script: LoopScript, place: Place) -> Lines:
    script.needs("asyncio")
    return _awaiting(script, place, "asyncio.sleep(0)")


def pause(script: LoopScript, place: Place, ms: float) -> Lines:
    script.needs("asyncio")
    return _awaiting(script, place, f"asyncio.sleep({seconds(ms)})")


def _awaiting(script: LoopScript, place: Place, awaited: str) -> Lines:
    if not place.task:
        return []
    made = script.survey.nodes[place.path[:-1]]
    if len(made) < 4 or not made[3]:
        return [f"await {awaited}"]
    script.needs("asyncio")
    script.define(
        "surviving",
        "async def surviving(name, awaitable):",
        "    try:",
        "        await awaitable",
        "    except asyncio.CancelledError as error:",
        "        print(name, repr(error))",
        "        if not swallows[name]:",
        "            raise",
        "        swallows[name] -= 1",
    )
    return [f"await surviving({quoted(place.task)}, {awaited})"]


LINES: Table = {
    "future": future,
    "on_done": on_done,
    "resolve": resolve,
    "cancel_future": cancel_future,
    "task": task,
    "cancel_task": cancel_task,
    "await": await_,
    "yield": yield_,
    "pause": pause,
    "ends": ends,
}
