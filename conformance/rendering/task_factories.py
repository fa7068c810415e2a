"""Task factories and what they make, as lines of a script."""

from __future__ import annotations

from ..program import Program
from ..vocabulary.task_factories import FLAVOUR, OWN_VALUE
from .scheduling import LoopScript
from .script import Lines, Place, Table, quoted
from .tasks import coroutine

_FACTORY = """\
def factory(loop, coro, **options):
    print("the factory is asked for", coro.__name__, sorted(options))
    options.pop("flavour", None)
    return asyncio.Task(coro, loop=loop, **options)"""


def task_factory(script: LoopScript, _place: Place, text: str) -> Lines:
    if text == "no callable":
        return script.attempt("loop.set_task_factory", "7")
    if text == "default":
        return ["loop.set_task_factory(None)"]
    script.needs("asyncio")
    if text == "noting":
        script.define("factory", *_FACTORY.splitlines())
    return [f"loop.set_task_factory({'factory' if text == 'noting' else 'asyncio.eager_task_factory'})"]


def made_by(script: LoopScript, place: Place, label: str, text: str, body: Program) -> Lines:
    _, function = coroutine(script, place, label, body, 0)
    made = script.state("made", "made = []")  # nobody else holds the tasks
    if text == "ensure_future":
        script.needs("asyncio")
        call = f"asyncio.ensure_future({function}(), loop=loop)"
    else:
        named = f", name={quoted(label)}" if "name" in text else ""
        context = script.in_context(OWN_VALUE) if "context" in text else ""
        flavour = f", flavour={quoted(FLAVOUR)}" if "flavour" in text else ""
        call = f"loop.create_task({function}(){named}{context}{flavour})"
    said = f"{made}[-1].get_name()" if "name" in text else quoted(label)
    return [f"{made}.append({call})", f'print({said}, "is made, done:", {made}[-1].done())']


LINES: Table = {"task_factory": task_factory, "made_by": made_by}
