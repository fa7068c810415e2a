"""Exceptions that nobody asks for, and what debug mode notices, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted, seconds

_NAMES = """\
def fresh(label):  # f0, f0.2, f0.3: the latest is meant from then on
    counts[label] = counts.get(label, 0) + 1
    return latest(label)


def latest(label):
    return label if counts.get(label, 1) == 1 else f"{label}.{counts[label]}\""""


def failing(script: LoopScript, _place: Place, label: str, text: str, value: int | None = None) -> Lines:
    script.state("failing", "failing = {}")
    lines: Lines = []
    name = quoted(label)
    if _are_several(script, label):
        script.state("counts", "counts = {}")
        script.define("fresh", *_NAMES.splitlines())
        lines, name = [f"name = fresh({name})"], "name"
    if text == "future":
        script.define(
            "failed_future",
            "def failed_future(name):",
            "    future = loop.create_future()",
            "    future.set_exception(ValueError(name))",
            "    return future",
        )
        return [*lines, f"failing[{name}] = failed_future({name})"]
    script.define("fail", "async def fail(name):", "    raise ValueError(name)")
    context = script.in_context(value)
    return [*lines, f"failing[{name}] = loop.create_task(fail({name}){context})"]


def _are_several(script: LoopScript, label: str) -> bool:
    made = script.survey.paths(frozenset({"failing"}), label)
    return len(made) > 1 or any(script.survey.repeats(path) for path in made)


def ask(script: LoopScript, _place: Place, label: str) -> Lines:
    return _with_failed(script, label, 'print({name}, "asked:", repr(failing[{name}].exception()))')


def forget(script: LoopScript, _place: Place, label: str) -> Lines:
    script.needs("gc")
    return _with_failed(script, label, "del failing[{name}]", "gc.collect()", 'print({name}, "is forgotten")')


def _with_failed(script: LoopScript, label: str, *lines: str) -> Lines:
    """The lines, done only when there is one of that name and it has failed."""
    script.state("failing", "failing = {}")
    several = _are_several(script, label)
    name = "name" if several else quoted(label)
    condition = f"if {name} in failing and failing[{name}].done()"
    latest = [f"name = latest({quoted(label)})"] if several else []
    return [*latest, *guarded(condition, [line.format(name=name) for line in lines])]


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
