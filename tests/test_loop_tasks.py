"""``create_task``: what it takes on each Python, and what it leaves behind."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from loops_under_test import OURS, opened
from muxloop import EventLoop

needs_eager_tasks = pytest.mark.skipif(sys.version_info < (3, 12), reason="there are no eager tasks")


@pytest.fixture(params=OURS)
def loop(request: pytest.FixtureRequest) -> Iterator[EventLoop]:
    yield from opened(request.param)


async def answer() -> int:
    return 42


@needs_eager_tasks
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_an_eager_task_begins_within_the_call(loop: EventLoop, debug: bool) -> None:
    async def main() -> None:
        task = loop.create_task(answer(), name="eager", eager_start=True)
        assert task.done()
        assert task.get_name() == "eager"
        lazy = loop.create_task(answer(), eager_start=False)
        assert not lazy.done()
        assert await task + await lazy == 84

    loop.set_debug(debug)
    loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 14), reason="the factory of earlier Pythons is always eager")
def test_whoever_asks_a_factory_of_eager_tasks_for_a_lazy_one_gets_it(loop: EventLoop) -> None:
    async def main() -> None:
        loop.set_task_factory(asyncio.eager_task_factory)
        assert asyncio.create_task(answer()).done()
        lazy = asyncio.create_task(answer(), name="lazy", eager_start=False)
        assert not lazy.done()
        assert lazy.get_name() == "lazy"
        await lazy

    loop.run_until_complete(main())


@pytest.mark.skipif(sys.version_info < (3, 14), reason="asyncio.create_task() takes no such keywords")
def test_a_factory_is_given_every_keyword(loop: EventLoop) -> None:
    given: list[dict[str, Any]] = []

    def factory(loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        given.append(options)
        return asyncio.Task(coro, loop=loop)

    async def main() -> None:
        loop.set_task_factory(factory)
        await asyncio.create_task(answer(), name="n", flavour="vanilla")  # type: ignore[call-arg]

    loop.run_until_complete(main())
    assert given[-1] == {"name": "n", "flavour": "vanilla"}


@pytest.mark.skipif(sys.implementation.name == "pypy", reason="its task fails once more when it is finalised")
def test_a_keyword_that_no_task_knows_is_refused(loop: EventLoop) -> None:
    coroutine = answer()
    with pytest.raises(TypeError):
        loop.create_task(coroutine, flavour="vanilla")
    coroutine.close()


@needs_eager_tasks
@pytest.mark.skipif(sys.implementation.name != "cpython", reason="there the collector frees everything")
@pytest.mark.parametrize("way", ["keyword", "factory", "factory, named", "debug"])
def test_an_eager_task_that_failed_needs_no_collector(loop: EventLoop, way: str) -> None:
    """Source: gh-128552."""

    class FailureError(Exception):
        pass

    async def fail() -> None:
        raise FailureError

    async def main() -> weakref.ref[BaseException]:
        options: dict[str, Any] = {} if way.startswith("factory") else {"eager_start": True}
        if way.startswith("factory"):
            loop.set_task_factory(asyncio.eager_task_factory)
        name = "named" if way == "factory, named" else None
        # Nor in a local of this frame, to which its traceback leads as well.
        return weakref.ref(loop.create_task(fail(), name=name, **options).exception())  # type: ignore[arg-type]

    loop.set_debug(way == "debug")
    gc.collect()
    gc.disable()
    try:
        assert loop.run_until_complete(main())() is None
    finally:
        gc.enable()
