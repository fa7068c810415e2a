"""Programs as Python scripts, to read and to paste into a bug report.

What each kind of action reads like stands in the sibling files, by subject; each ends in a table of its
actions. A script needs nothing of muxloop unless its subject does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..program import Program
from ..subjects import NAMED_LOOPS
from . import (
    cancelling,
    contradictions,
    datagrams,
    executors,
    failures,
    files,
    leaving,
    lifecycle,
    names,
    pipes,
    processes,
    scheduling,
    selecting,
    servers,
    shutdown,
    signals,
    sock_calls,
    sock_files,
    sock_messages,
    sockets,
    special_files,
    task_factories,
    tasks,
    tls,
    transports,
)
from .scheduling import LoopScript
from .script import Lines, Place, Script, Table
from .selecting import SelectorScript
from .survey import Survey

LOOP_LINES: Table = {
    **scheduling.LINES,
    **sockets.LINES,
    **tasks.LINES,
    **task_factories.LINES,
    **cancelling.LINES,
    **executors.LINES,
    **sock_calls.LINES,
    **sock_files.LINES,
    **sock_messages.LINES,
    **lifecycle.LINES,
    **leaving.LINES,
    **transports.LINES,
    **servers.LINES,
    **contradictions.LINES,
    **datagrams.LINES,
    **pipes.LINES,
    **tls.LINES,
    **processes.LINES,
    **signals.LINES,
    **shutdown.LINES,
    **failures.LINES,
    **special_files.LINES,
    **names.LINES,
}
SELECTOR_LINES: Table = {**selecting.LINES, **files.LINES}


def as_python(program: Program, subject: str, judges: str, rule_id: str = "") -> str:
    """The program as a script in plain asyncio (or selectors) that shows what it does on that subject.

    ``judges`` is what the program is for: "loop" or "selector". The text is laid out as formatters lay it
    out, and the script ends by itself on any loop whose timers come. With the id of the rule that the program
    broke, the script also prints what that rule asks of each handle.
    """
    survey = Survey(program)
    modules, factory = _construction(subject, judges)
    script: Script
    if judges == "selector":
        script = _WholeSelectorScript(survey, factory)
        lines = _lines(SELECTOR_LINES, script, survey.program, Place())
    else:
        script = _WholeLoopScript(survey, factory, rule_id)
        lines = _lines(LOOP_LINES, script, survey.program, Place())
        if _wants_handler(survey):
            lines = [*lifecycle.handler(script, Place(), "note"), *lines]
    for module in modules:
        script.needs(module, own=module != "asyncio")
    script.statements = lines
    return script.text()


class _WholeLoopScript(LoopScript):
    def body(self, body: Program, place: Place) -> Lines:
        return _lines(LOOP_LINES, self, body, place)


class _WholeSelectorScript(SelectorScript):
    def child(self, body: Program, place: Place) -> Lines:
        return _lines(SELECTOR_LINES, self, body, place)


def _lines(table: Table, script: Script, body: Program, place: Place) -> Lines:
    lines: Lines = []
    for i, (kind, *arguments) in enumerate(body):
        here = replace(place, path=(*place.path, i), last=i == len(body) - 1)
        lines += table[kind](script, here, *arguments)
    return lines


def _wants_handler(survey: Survey) -> bool:
    """Exceptions of callbacks are to be seen, unless the program sets a handler of its own first."""
    fails = any(action[0] == "raise" and action[1] == "ValueError" for action in survey.nodes.values())
    return fails and not any(action[0] == "handler" for action in survey.program)


def _construction(subject: str, judges: str) -> tuple[list[str], str]:
    """The modules to import, and the expression that makes a fresh loop or selector."""
    if judges == "selector":
        target: Any = subject.removeprefix("selector:")
        if ":" not in target:
            return ["muxloop"], f'muxloop.open_selector("{target}")'
        module, _, attribute = target.partition(":")
        return [module], f"{module}.{attribute}()"
    target, _, backend = subject.partition("@")
    named = NAMED_LOOPS.get(target)
    module, _, attribute = (
        f"{named.module}:{named.factory}".partition(":") if named else target.partition(":")
    )
    call = f"{module}.{attribute or 'new_event_loop'}"
    if not backend:
        return [module], f"{call}()"
    if named and named.by_name:
        return [module], f'{call}("{backend}")'
    return [module, "muxloop"], f'{call}(muxloop.open_selector("{backend}"))'
