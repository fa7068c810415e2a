"""Actions on what a loop ends in good order: asynchronous generators, and its default executor."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import AsyncGenerator
from typing import Any

from .lifecycle import LifeCycle
from .scheduling import COUNTING


class Shutdown(LifeCycle):
    """agen, iterate, drop_agen, shutdown_asyncgens, shutdown_executor."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._agens: dict[str, AsyncGenerator[int, None]] = {}
        self._half_way: set[str] = set()
        self._takers: set[asyncio.Task[None]] = set()

    def do_agen(self, label: str, count: int, text: str) -> None:
        if label not in self._agens:
            self._agens[label] = self._generator(label, count, text)

    async def _generator(self, label: str, count: int, text: str) -> AsyncGenerator[int, None]:
        self._half_way.add(label)
        try:
            for value in range(count):
                yield value
        finally:
            if text == "awaits":
                await asyncio.sleep(0)
            self.note("agen-closed", label)
            self._half_way.discard(label)
            self.arrived(f"the end of {label}")
            if text == "raises":
                raise ValueError(label)

    def do_iterate(self, label: str) -> None:
        if label not in self._agens:
            return
        name = self.fresh(f"a value of {label}")
        self.expect(name)
        try:
            task = self.loop.create_task(self._take(label, name))
        except Exception as error:
            self.note("took", label, outcome=f"{type(error).__name__}: {error}")
            self.met(name)
            return
        self._takers.add(task)
        task.add_done_callback(self._takers.discard)

    async def _take(self, label: str, name: str) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            value = self._agens[label].__anext__() if label in self._agens else asyncio.sleep(0)
        self.note("iterated", label, warned=[warning.category.__name__ for warning in caught])
        outcome = "a value"
        try:
            await value
        except StopAsyncIteration:
            outcome = "its end"
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        self.note("took", label, outcome=outcome)
        self.arrived(name)

    def do_drop_agen(self, label: str) -> None:
        if label not in self._agens:
            return
        if label in self._half_way:
            self.expect(f"the end of {label}")
        self.note("agen-dropped", label, half_way=label in self._half_way)
        del self._agens[label]
        if not COUNTING:
            gc.collect()

    def do_shutdown_asyncgens(self) -> None:
        before = sorted(self._half_way)
        self.note("shutting-down", "asyncgens", open=before)
        error, _ = self._shut_down("shutdown_asyncgens")
        for label in before:
            self.met(f"the end of {label}")
        left = sorted(self._half_way.intersection(before))
        self.note("shut-down", "asyncgens", error=error, open=left)

    def do_shutdown_executor(self, ms: float | None = None) -> None:
        self.note("shutting-down", "executor")
        keywords: dict[str, Any] = {} if ms is None else {"timeout": ms / 1000}
        error, warned = self._shut_down("shutdown_default_executor", **keywords)
        jobs = sorted(label for label, job in self._jobs.items() if not job.is_set())
        self.note("shut-down", "executor", error=error, warned=warned, jobs_running=jobs)

    def _shut_down(self, method: str, **keywords: Any) -> tuple[str | None, list[str]]:
        """Run the coroutine to its end; what it raised, as text, and of which kinds its warnings were."""

        async def whole() -> None:
            await getattr(self.loop, method)(**keywords)

        error = None
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                self.loop.run_until_complete(whole())
            except Exception as raised:
                error = f"{type(raised).__name__}: {raised}"
        return error, [warning.category.__name__ for warning in caught]
