"""How the faults of `faulty_factories` show."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

from symptoms import error_of, shows, turn


async def nothing() -> None:
    """Ends at once."""


class Noting:
    """A factory that keeps the keywords of every call."""

    def __init__(self) -> None:
        self.asked: list[set[str]] = []

    def __call__(self, loop: Any, coro: Any, **keywords: Any) -> Any:
        self.asked.append(set(keywords) & {"context"})
        return asyncio.Task(coro, loop=loop, **keywords)


@shows("factory_kept", right=0)
def none_restores_the_default(loop: Any, _patience_s: float) -> object:
    factory = Noting()
    loop.set_task_factory(factory)
    loop.set_task_factory(None)
    loop.create_task(nothing())
    turn(loop)
    return len(factory.asked)


@shows("any_task_factory", right="TypeError")
def a_factory_is_callable(loop: Any, _patience_s: float) -> object:
    return error_of(loop.set_task_factory, 7)


@shows("factory_loses_context", "named_without_factory", right=[{"context"}, set()])
def the_factory_gets_the_keywords(loop: Any, _patience_s: float) -> object:
    factory = Noting()
    loop.set_task_factory(factory)
    loop.create_task(nothing(), context=contextvars.copy_context())
    loop.create_task(nothing(), name="named")
    turn(loop)
    return factory.asked


@shows("factory_is_guessed", right=None)
def there_is_no_factory_at_first(loop: Any, _patience_s: float) -> object:
    return loop.get_task_factory()
