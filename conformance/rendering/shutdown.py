"""Asynchronous generators left half-way, and the end of the default executor, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, quoted, seconds

_GENERATOR = """\
async def numbers(name, count, at_the_end):
    try:
        for number in range(count):
            yield number
    finally:
        if at_the_end == "awaits":
            await asyncio.sleep(0)
        print(name, "is closed")
        if at_the_end == "raises":
            raise ValueError(name)"""

_TAKE = """\
async def take(name):
    if name in generators:
        try:
            print(name, "gives", await anext(generators[name]))
        except (StopAsyncIteration, ValueError, RuntimeError) as error:
            print(name, repr(error))"""


def agen(script: LoopScript, _place: Place, label: str, count: int, text: str) -> Lines:
    script.needs("asyncio")
    script.state("generators", "generators = {}")
    script.define("numbers", *_GENERATOR.splitlines())
    name = quoted(label)
    return [f"generators.setdefault({name}, numbers({name}, {count}, {quoted(text)}))"]


def iterate(script: LoopScript, _place: Place, label: str) -> Lines:
    script.state("generators", "generators = {}")
    script.state("tasks", "tasks = []")
    if "shutdown_asyncgens" in script.survey.kinds:  # who comes after it is warned
        script.needs("warnings")
        script.state("warnings", 'warnings.simplefilter("always", ResourceWarning)')
    script.define("take", *_TAKE.splitlines())
    return [f"tasks.append(loop.create_task(take({quoted(label)})))"]


def drop_agen(script: LoopScript, _place: Place, label: str) -> Lines:
    script.state("generators", "generators = {}")
    return [f"generators.pop({quoted(label)}, None)"]


def shutdown_asyncgens(_script: LoopScript, _place: Place) -> Lines:
    return [
        "loop.run_until_complete(loop.shutdown_asyncgens())",
        'print("-- the generators are shut down")',
    ]


def shutdown_executor(_script: LoopScript, _place: Place, ms: float | None = None) -> Lines:
    timeout = "" if ms is None else f"timeout={seconds(ms)}"
    return [
        f"loop.run_until_complete(loop.shutdown_default_executor({timeout}))",
        'print("-- the executor is shut down")',
    ]


LINES: Table = {
    "agen": agen,
    "iterate": iterate,
    "drop_agen": drop_agen,
    "shutdown_asyncgens": shutdown_asyncgens,
    "shutdown_executor": shutdown_executor,
}
