"""Futures, tasks, and running until one is done. The classes are the standard library's."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextvars import Context
from typing import Any, TypeVar

from .core import Core

T = TypeVar("T")
CoroutineLike = Coroutine[Any, Any, T] | Generator[Any, None, T]
TaskFactory = Callable[..., asyncio.Future[Any]]


class Tasks(Core):
    """The part of a loop that makes and awaits futures."""

    _task_factory: TaskFactory | None = None
    _awaited: asyncio.Future[Any] | None = None  # what run_until_complete runs for

    def create_future(self) -> asyncio.Future[Any]:
        """A future that belongs to this loop."""
        return asyncio.Future(loop=self)

    def create_task(
        self,
        coro: CoroutineLike[T],
        *,
        name: str | None = None,
        context: Context | None = None,
        **options: Any,
    ) -> asyncio.Task[T]:
        """Run a coroutine as a task. RuntimeError if the loop is closed.

        ``options`` go to the task or the task factory as they are, ``eager_start`` of Python 3.14 for one.
        """
        self._check_closed()
        factory = self._task_factory
        if factory is None:
            # Never in a local: the traceback of an eager task's error leads to this frame (gh-128552).
            if self._debug:
                return _traced(asyncio.Task(coro, loop=self, name=name, context=context, **options))
            return asyncio.Task(coro, loop=self, name=name, context=context, **options)
        if context is not None:
            options["context"] = context
        if sys.version_info >= (3, 14) and name is not None:
            # Since gh-128307 a factory takes every keyword; until then it did not know the name.
            options["name"] = name
        if sys.version_info >= (3, 14) or name is None:
            return factory(self, coro, **options)  # type: ignore[return-value]  # whatever a factory makes
        return _named(factory(self, coro, **options), name)  # type: ignore[no-any-return]

    def set_task_factory(self, factory: TaskFactory | None) -> None:
        """Let ``factory(loop, coro, **options)`` make the tasks; None for the default.

        TypeError if it is not callable.
        """
        if factory is not None and not callable(factory):
            raise TypeError(f"a task factory must be callable or None, got {factory!r}")
        self._task_factory = factory

    def get_task_factory(self) -> TaskFactory | None:
        """The factory that was set; None while tasks are ``asyncio.Task``."""
        return self._task_factory

    def run_until_complete(self, future: Generator[Any, None, T] | Awaitable[T]) -> T:
        """Run until ``future`` (an awaitable; a coroutine becomes a task) is done; its result or exception.

        RuntimeError if the loop is closed or running, another loop is running in this thread, or
        ``stop()`` ended the run before the future was done.
        """
        self._check_closed()
        self._check_not_running()
        is_ours = not asyncio.isfuture(future)
        awaited: asyncio.Future[T] = asyncio.ensure_future(future, loop=self)  # type: ignore[arg-type]
        if is_ours:
            # Left pending only by an exception, which says more than "Task was destroyed".
            awaited._log_destroy_pending = False  # type: ignore[attr-defined]
        awaited.add_done_callback(self._stop_awaiting)
        self._awaited = awaited
        try:
            self.run_forever()
        except BaseException:
            if is_ours and awaited.done() and not awaited.cancelled():
                awaited.exception()  # nobody else can ask for it: count it as retrieved
            raise
        finally:
            self._awaited = None
            awaited.remove_done_callback(self._stop_awaiting)
        if not awaited.done():
            raise RuntimeError("Event loop stopped before Future completed.")
        return awaited.result()

    def _stop_awaiting(self, future: asyncio.Future[Any]) -> None:
        # An interrupted run may leave this call queued; in the next run it is about a future nobody awaits.
        if future is self._awaited:
            self.stop()


def _traced(task: asyncio.Task[T]) -> asyncio.Task[T]:
    """Trace a task to its creator, not to the line that made it."""
    trace = getattr(task, "_source_traceback", None)
    if trace:
        del trace[-1]
    return task


def _named(made: Any, name: str) -> Any:
    if hasattr(made, "set_name"):
        made.set_name(name)
    return made
