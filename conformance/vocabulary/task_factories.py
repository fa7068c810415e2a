"""Who makes the tasks of a loop, and with what."""

from __future__ import annotations

import sys

from .spec import ActionSpec, spec

FACTORIES = ("noting", "eager", "default", "no callable")
"""What set_task_factory() is given: a function that notes its arguments, asyncio's own, None, or 7."""
MAKERS = (
    *("create_task", "create_task(name)", "create_task(context)", "create_task(name, context)"),
    *("create_task(flavour)", "ensure_future"),
)
"""How a task is made: by which call of the loop's, with which keywords; "flavour" only a factory knows."""
FLAVOUR = "vanilla"
OWN_VALUE = 7
"""Of the context variable, in the context that a task is given."""
EAGER = sys.version_info >= (3, 12)
PASSES_ON = sys.version_info >= (3, 14)
"""Whether create_task() takes keywords that it does not know, and passes them on to the factory."""

ACTIONS: dict[str, ActionSpec] = {
    "task_factory": spec("text", "set_task_factory()", *FACTORIES),
    "made_by": spec("label text body", "a task with these steps, made by that call", *MAKERS, steps=True),
}
