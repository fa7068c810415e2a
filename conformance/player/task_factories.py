"""Actions on the factory of a loop's tasks."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Coroutine
from typing import Any

from ..program import Program
from ..vocabulary.task_factories import FLAVOUR, OWN_VALUE
from .stage import VALUE
from .tasks import Tasks, Walk


class TaskFactories(Tasks):
    """task_factory, made_by."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._born: dict[int, str] = {}
        """The labels of the coroutines that are being made tasks, by the identity of each."""
        self._products: dict[str, object] = {}
        """What the factory made last for each label."""

    def do_task_factory(self, text: str) -> None:
        factories: dict[str, Any] = {
            "noting": self._noting_factory,
            "eager": getattr(asyncio, "eager_task_factory", None),
            "default": None,
            "no callable": 7,
        }
        error, before = None, self.loop.get_task_factory()
        try:
            self.loop.set_task_factory(factories[text])
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
        told = self.loop.get_task_factory()
        self.note("factory-set", text, error=error, tells=told == (before if error else factories[text]))

    def _noting_factory(self, *arguments: Any, **keywords: Any) -> Any:
        coroutine = arguments[1] if len(arguments) == 2 else None
        label = self._born.get(id(coroutine), "")
        self.note(
            "factory-asked",
            label,
            arguments=len(arguments),
            loop_given=bool(arguments) and arguments[0] is self.loop,
            flavour=keywords.pop("flavour", None),
            context_given="context" in keywords,
        )
        made = asyncio.Task(coroutine, loop=self.loop, **keywords)  # type: ignore[arg-type]
        self._products[label] = made
        return made

    def do_made_by(self, label: str, text: str, body: Program) -> None:
        name = self.fresh(label)
        keywords: dict[str, Any] = {}
        if "name" in text:
            keywords["name"] = name
        if "context" in text:
            keywords["context"] = contextvars.copy_context()
            keywords["context"].run(VALUE.set, OWN_VALUE)
        if "flavour" in text:
            keywords["flavour"] = FLAVOUR
        lived = self._live(name, body)
        self._born[id(lived)] = name
        self.note("making", name, by=text, running=self._inside_run, value=VALUE.get())
        error = None
        try:
            made = self._made(text, lived, keywords)
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"
            lived.close()
            self.note("made", name, error=error)
            return
        finally:
            del self._born[id(lived)]
        product = self._products.pop(name, made)
        self.note(
            "made", name, error=None, done=made.done(), named=made.get_name(), is_product=made is product
        )
        self.adopt(name, made)

    def _made(
        self, text: str, lived: Coroutine[Any, Any, None], keywords: dict[str, Any]
    ) -> asyncio.Task[None]:
        if text == "ensure_future":
            return asyncio.ensure_future(lived, loop=self.loop)
        return self.loop.create_task(lived, **keywords)

    async def _live(self, name: str, body: Program) -> None:
        self.note("lived", name, value=VALUE.get())
        await self.take_steps(Walk(name, 0), body)
        self.note("task-finished", name)
