"""Faults in who makes the tasks of a loop, each named after the rule that must catch it."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
from typing import Any

from faulty_base import FaultBed, SteppedLoop

FACTORY_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@FACTORY_FAULTS.plant
class FactoryKept(SteppedLoop):
    """invented: set_task_factory(None) leaves the former factory in place. Breaks LIF-11."""

    def set_task_factory(self, factory: Any) -> None:
        super().set_task_factory(factory or self.get_task_factory())


@FACTORY_FAULTS.plant
class AnyTaskFactory(SteppedLoop):
    """seen in rloop 0.5: set_task_factory takes what is no callable. Breaks LIF-11."""

    def set_task_factory(self, factory: Any) -> None:
        self._task_factory = factory


@FACTORY_FAULTS.plant
class FactoryLosesContext(SteppedLoop):
    """invented: the context of create_task is not passed on to the factory. Breaks LIF-11."""

    def create_task(self, coro: Any, **keywords: Any) -> Any:
        if self.get_task_factory() is not None:
            keywords.pop("context", None)
        return super().create_task(coro, **keywords)


@FACTORY_FAULTS.plant
class NamedWithoutFactory(SteppedLoop):
    """invented: a task that is given a name is made without asking the factory. Breaks LIF-11."""

    def create_task(self, coro: Any, *, name: Any = None, **keywords: Any) -> Any:
        if name is not None:
            return asyncio.Task(coro, loop=self, name=name, **keywords)
        return super().create_task(coro, **keywords)


@FACTORY_FAULTS.plant
class FactoryIsGuessed(SteppedLoop):
    """invented: get_task_factory answers asyncio.Task where no factory was set. Breaks LIF-11."""

    def get_task_factory(self) -> Any:
        return super().get_task_factory() or asyncio.Task
