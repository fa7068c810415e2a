"""Futures and tasks, as lines of a script."""

from __future__ import annotations

from ..program import Program
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted, seconds
from .survey import COMBINED, JOBS, PROMISES, STEPS, TASKS

_LONG = 70
"""A longer call is written in two lines."""


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
    return _settle(script, place, label, "set_result(None)")


def fail_future(script: LoopScript, place: Place, label: str) -> Lines:
    return _settle(script, place, label, f"set_exception(ValueError({quoted(label)}))")


def _settle(script: LoopScript, place: Place, label: str, call: str) -> Lines:
    name = script.promise(label)
    if not name or script.sources(TASKS | COMBINED | JOBS, label):
        return []
    settling = script.survey.paths(frozenset({"resolve", "fail_future", "cancel_future"}), label)
    lines = [f"{name}.{call}"]
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


def uncancel(script: LoopScript, place: Place, label: str) -> Lines:
    if not script.is_task(label):
        return []
    name = script.promise(label)
    return script.with_promise(place, label, [f'print({quoted(label)}, "uncancel():", {name}.uncancel())'])


def gather(script: LoopScript, place: Place, label: str, text: str, *of: str) -> Lines:
    script.needs("asyncio")
    parts = script.promises(of)
    keyword = ", return_exceptions=True" if text == "all outcomes" else ""
    call = f"asyncio.gather({', '.join(parts)}{keyword})"
    lines = []
    if len(call) > _LONG:
        lines = [f"parts = [{', '.join(parts)}]"]
        call = f"asyncio.gather(*parts{keyword})"
    return _combined(script, place, label, of, [*lines, call])


def shield(script: LoopScript, place: Place, label: str, inner: str) -> Lines:
    script.needs("asyncio")
    return _combined(script, place, label, (inner,), [f"asyncio.shield({script.promise(inner)})"])


def _combined(script: LoopScript, place: Place, label: str, of: tuple[str, ...], lines: Lines) -> Lines:
    if not script.promises(of):
        return []
    if name := script.promise(label):
        lines[-1] = f"{name} = {lines[-1]}"
    return script.with_promises(place, of, _made_once(script, place, label, lines))


def task(script: LoopScript, place: Place, label: str, body: Program, count: int = 0) -> Lines:
    swallow, function = coroutine(script, place, label, body, count)
    name = script.promise(label)
    create = f"{name} = loop.create_task({function}())" if name else f"loop.create_task({function}())"
    return _made_once(script, place, label, [*swallow, create])


def coroutine(script: LoopScript, place: Place, label: str, body: Program, count: int) -> tuple[Lines, str]:
    """What to do before such a task is made, and the name of its coroutine function."""
    said = quoted(label)
    waits = any(action[0] in STEPS for action in body)
    steps: Program = (*body, ("ends",)) if waits and body[-1][0] not in ("fails", "leaves") else body
    if waits and count:
        script.state("swallows", "swallows = {}")
    inner = Place(place.path, task=label)
    function = script.function_of(
        "task", label, steps, inner, [f'print({said}, "starts")' if waits else f"print({said})"]
    )
    return [f"swallows[{said}] = {count}"] if waits and count else [], function


def ends(_script: LoopScript, place: Place) -> Lines:
    """Not part of the vocabulary: the last step of a task that waits for something."""
    return [f'print({quoted(place.task)}, "ends")']


def await_(script: LoopScript, place: Place, label: str) -> Lines:
    name = script.promise(label)
    if not name or label == place.task:
        return []
    return script.with_promise(place, label, awaiting(script, place, name))


def yield_(script: LoopScript, place: Place) -> Lines:
    script.needs("asyncio")
    return awaiting(script, place, "asyncio.sleep(0)")


def pause(script: LoopScript, place: Place, ms: float) -> Lines:
    script.needs("asyncio")
    return awaiting(script, place, f"asyncio.sleep({seconds(ms)})")


def fails(_script: LoopScript, place: Place) -> Lines:
    return [f"raise ValueError({quoted(place.task)})"] if place.task else []


def leaves(_script: LoopScript, place: Place, text: str) -> Lines:
    return [f"raise {text}({quoted(place.task)})"] if place.task else []


def awaiting(script: LoopScript, place: Place, awaited: str) -> Lines:
    """The await of that expression, in a task that may have cancellations to swallow."""
    made = script.survey.around(place.path, TASKS) if place.task else None
    if made is None:
        return []
    if not isinstance(made[-1], int) or not made[-1]:
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
    "fail_future": fail_future,
    "gather": gather,
    "shield": shield,
    "uncancel": uncancel,
    "cancel_future": cancel_future,
    "task": task,
    "cancel_task": cancel_task,
    "await": await_,
    "yield": yield_,
    "pause": pause,
    "fails": fails,
    "leaves": leaves,
    "ends": ends,
}
