"""Exceptions that nobody asks for, and what debug mode notices, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted, seconds


def failing(script: LoopScript, _place: Place, label: str, text: str, value: int | None = None) -> Lines:
    script.state("failing", "failing = {}")
    name = quoted(label)
    if text == "future":
        script.define(
            "failed_future",
            "def failed_future(name):",
            "    future = loop.create_future()",
            "    future.set_exception(ValueError(name))",
            "    return future",
        )
        return [f"failing[{name}] = failed_future({name})"]
    script.define("fail", "async def fail(name):", "    raise ValueError(name)")
    context = script.in_context(value)
    return [f"failing[{name}] = loop.create_task(fail({name}){context})"]


def ask(script: LoopScript, _place: Place, label: str) -> Lines:
    script.state("failing", "failing = {}")
    name = quoted(label)
    return guarded(
        f"if {name} in failing and failing[{name}].done()",
        [f'print({name}, "asked:", repr(failing[{name}].exception()))'],
    )


def forget(script: LoopScript, _place: Place, label: str) -> Lines:
    script.needs("gc")
    script.state("failing", "failing = {}")
    name = quoted(label)
    return guarded(
        f"if {name} in failing and failing[{name}].done()",
        [f"del failing[{name}]", "gc.collect()", f'print({name}, "is forgotten")'],
    )


def slow(_script: LoopScript, _place: Place, ms: float) -> Lines:
    return [f"loop.slow_callback_duration = {seconds(ms)}"]


def misuse(script: LoopScript, _place: Place, text: str) -> Lines:
    method, _, thing = text.partition(" of ")
    first = {"call_later": ["0.001"], "call_at": ["loop.time()"], "run_in_executor": ["None"]}.get(method, [])
    wrong = {"a coroutine function": "never_awaited", "a coroutine": "never_awaited()"}.get(thing, "7")
    if wrong != "7":
        script.define("never_awaited", "async def never_awaited():", '    print("never printed")')
    return script.attempt(f"loop.{method}", *first, wrong)


LINES: Table = {"failing": failing, "ask": ask, "forget": forget, "slow": slow, "misuse": misuse}
