"""LIF: who makes the tasks of a loop."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import Event, History
from ..program import Program
from ..strategies import STEP, action, programs, several, soon
from ..vocabulary.task_factories import EAGER, FACTORIES, MAKERS, OWN_VALUE, PASSES_ON
from .queries import runs_ended
from .rule import Finding, rule
from .task_queries import every_task_ends

_FACTORY = action("task_factory", st.sampled_from([each for each in FACTORIES if EAGER or each != "eager"]))
_ALWAYS = [each for each in MAKERS if "flavour" not in each]


def _making(body: st.SearchStrategy[Program]) -> st.SearchStrategy[tuple[object, ...]]:
    return action("made_by", None, st.sampled_from(_ALWAYS), body)


_FLAVOURED: Program = (
    ("task_factory", "noting"),
    ("made_by", None, "create_task(flavour)", ()),
    ("task_factory", "default"),
)
_STEP = st.one_of(STEP, _making(several(STEP, 0, 2)), _FACTORY)
_MAKING = st.one_of(_making(several(_STEP, 0, 3)), _FACTORY)


@rule(
    "LIF-11",
    "R",
    "set_task_factory: the factory is called with the loop, the coroutine and the keywords for every task, "
    "and what it makes is the task; None restores the default, what is no callable is a TypeError, and "
    "get_task_factory tells which it is; eager_task_factory (3.12) runs the first step at once",
    source="asyncio-eventloop docs, loop.set_task_factory, loop.create_task; asyncio-task docs, "
    "eager_task_factory",
    programs=programs(
        several(_MAKING, 0, 2),
        several(_FACTORY, 1, 1),
        several(st.one_of(_MAKING, soon(several(_MAKING, 1, 3))), 1, 3),
        st.sampled_from([(), _FLAVOURED]) if PASSES_ON else (),
        ("run",),
    ),
)
def made_by_the_factory(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from every_task_ends(history)
    for event in history.of("factory-set"):
        yield from _set(event)
    makings = {event.label: event for event in history.of("making")}
    for made in history.of("made"):
        yield from _made(history, makings[made.label], made)


def _set(event: Event) -> Iterator[Finding]:
    refused = str(event["error"]).startswith("TypeError")
    if event.label == "no callable" and not refused:
        yield Finding(
            "set_task_factory(7) raises TypeError: it is no callable",
            f"it raised {event['error'] or 'nothing'}",
        )
    elif event.label != "no callable" and event["error"]:
        yield Finding(f"the factory {event.label} is accepted", f"it raised {event['error']}")
    elif not event["tells"]:
        yield Finding("get_task_factory() is the factory that was set last", "it is another")


def _factory_at(history: History, making: Event) -> str:
    """The factory that was set when this task was made."""
    taken = [e for e in history.of("factory-set") if e.index < making.index and not e["error"]]
    return taken[-1].label if taken else "default"


def _made(history: History, making: Event, made: Event) -> Iterator[Finding]:
    label, how, factory = made.label, making["by"], _factory_at(history, making)
    if made["error"]:
        yield Finding(f"{how} makes {label}", f"it raised {made['error']}")
        return
    asked = history.of("factory-asked", label=label)
    if len(asked) != (factory == "noting"):
        yield Finding(
            f"a factory that was {'set' if factory == 'noting' else 'replaced'} is asked "
            f"{'once' if factory == 'noting' else 'no more'} when {how} makes {label}",
            f"it was asked {len(asked)} times",
        )
    for request in asked:
        yield from _asked(request, how)
    if not made["is_product"]:
        yield Finding(f"{label} is what the factory made", "it is something else")
    if "name" in how and made["named"] != label:
        yield Finding(f"the task is called {label}, as {how} was told", f"it is called {made['named']}")
    yield from _first_step(history, making, made, eager=factory == "eager")


def _asked(request: Event, how: str) -> Iterator[Finding]:
    if request["arguments"] != 2 or not request["loop_given"]:
        yield Finding(
            f"the factory is called with the loop and the coroutine of {request.label}",
            f"it got {request['arguments']} arguments, and the loop is "
            + ("the first" if request["loop_given"] else "not the first"),
        )
    if "context" in how and not request["context_given"]:
        yield Finding(f"the factory gets the context that {how} was given", "it got none")
    if "flavour" in how and request["flavour"] is None:
        yield Finding(f"the factory gets the keyword that {how} was given", "it did not")


def _first_step(history: History, making: Event, made: Event, *, eager: bool) -> Iterator[Finding]:
    """An eager task begins within the call that makes it, if the loop runs; any other one begins later."""
    lived = history.first("lived", made.label)
    if lived is None:
        return
    own = OWN_VALUE if "context" in making["by"] else making["value"]
    if lived["value"] != own:
        yield Finding(f"{made.label} runs where the variable is {own}", f"it is {lived['value']} there")
    at_once = lived.index < made.index
    if at_once != (eager and making["running"]):
        yield Finding(
            f"{made.label} begins {'within the call that makes it' if eager else 'after it was made'}",
            "it began " + ("at once" if at_once else "later"),
        )
    ended = history.first("task-finished", made.label)
    within = ended is not None and ended.index < made.index
    if within and not made["done"]:
        yield Finding(f"{made.label}, which has ended in its first step, is done", "it is not")
