"""Scheduling and cancelling, as lines of a script."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..program import Program
from .script import Lines, Place, Script, Table, guarded, indented, number, quoted, seconds
from .survey import JOBS, PROMISES, SCHEDULING, TASKS, Path, Survey

SHOWN_ROUNDS = 20
"""Of a callback that runs more often, only the last run is printed; a reader gives up after so many."""
SHOWN_BULK = 400
"""Larger bulks are there for their weight: their timers print nothing."""
METHODS = {"soon": "call_soon", "threadsafe": "call_soon_threadsafe", "later": "call_later", "at": "call_at"}
_QUESTIONS = {
    "CAN-02": '"cancelled():", {}.cancelled()',
    "TMR-05": "type({})",
    "TMR-06": '"when():", {}.when()',
}
"""What rules about handles ask of each handle as soon as there is one."""
_ABOUT_RELEASE = ("HEAP-04", "RES-03")
_ASKING = frozenset({"cancel", "probe"})
_REFERRING = {
    **dict.fromkeys(("on_done", "resolve", "fail_future", "cancel_future", "run_until"), 1),
    **dict.fromkeys(("cancel_task", "uncancel", "await", "wait_for"), 1),
    **dict.fromkeys(("gather", "wait"), 3),
    "shield": 2,
}
"""Actions on futures and tasks, and at which of their places the labels of these stand, or begin to."""


class LoopScript(Script):
    """A script about a loop, and the program that it plays."""

    def __init__(self, survey: Survey, new_loop: str, rule_id: str = "") -> None:
        super().__init__(survey)
        self.new_loop = new_loop
        self.question = _QUESTIONS.get(rule_id, "")
        self.marks = rule_id in _ABOUT_RELEASE
        self.state("loop", f"loop = {new_loop}")

    def body(self, body: Program, place: Place) -> Lines:
        raise NotImplementedError

    def function_of(
        self, kind: str, label: str, body: Program, place: Place, head: Lines, parameter: str = ""
    ) -> str:
        """A function that prints its name, or what ``head`` says, and performs the body."""

        def build(name: str) -> Lines:
            place.function = name
            place.rebound = set()
            lines = [line.replace("{name}", name) for line in head] + self.body(body, place)
            declared = [f"global {', '.join(sorted(place.rebound))}"] if place.rebound else []
            prefix = "async def" if kind == "task" else "def"
            return [f"{prefix} {name}({parameter}):", *indented([*declared, *lines] or ["pass"])]

        return self.function((kind, label, body, place.ms), label, build)

    def callback(self, label: str, body: Program, place: Place, via: str, ms: Any = None) -> str:
        """The function that such a callback is; its name."""
        rounds = max((action[1] for action in body if action[0] == "again"), default=1)
        inner = Place(place.path, via=via, ms=ms)
        parameter = "future" if via == "done" else self.argument(label, via, ms, rounds)[0]
        head = [self.announcement(label, via, ms, rounds)]
        if rounds > 1:
            self.needs("from collections import Counter")
            self.state("runs", "runs = Counter()")
            count = quoted(label)
            if rounds > SHOWN_ROUNDS:
                head = guarded(
                    f"if runs[{count}] == {rounds}", [f'print({quoted(label)}, "ran {rounds} times")']
                )
            head = [f"runs[{count}] += 1", *head]
        return self.function_of(via, label, body, inner, head, parameter)

    def announcement(self, label: str, via: str = "", ms: Any = None, rounds: int = 1) -> str:
        """The line that says that a callback runs, with what can be seen at that moment."""
        parts = [quoted(label)]
        if self.survey.kinds & {"setvar"} or self.uses_values():
            parts.append(f"{self.variable()}.get()")
        argument = self.argument(label, via, ms, rounds)[0]
        if argument == "armed":
            self.needs("time")
            parts.append('f"after {(time.monotonic() - armed) * 1000:.2f} ms"')
        elif argument == "when":
            parts.append('f"{(loop.time() - when) * 1000:+.2f} ms from its deadline"')
        return f"print({', '.join(parts)})"

    def uses_values(self) -> bool:
        places = {"soon": 3, "threadsafe": 3, "later": 4, "at": 4, "on_done": 4}
        nodes = self.survey.nodes.values()
        return any(
            len(action) > places.get(action[0], 99) and action[places[action[0]]] is not None
            for action in nodes
        )

    def variable(self) -> str:
        """The context variable."""
        self.needs("contextvars")
        return self.state("var", 'var = contextvars.ContextVar("var", default=0)')

    def argument(self, label: str, via: str, ms: Any, rounds: int) -> tuple[str, str]:
        """What a timer's callback is given to tell how late it is: the parameter, and what stands for it."""
        if self.marks and via in METHODS:
            return "_marker=None", f"{self.marker()}({quoted(label)})"
        if via not in ("later", "at") or self.survey.is_strange(ms) or ms <= 0 or rounds > SHOWN_ROUNDS:
            return "", ""
        return ("armed", "time.monotonic()") if via == "later" else ("when", f"base + {seconds(ms)}")

    def marker(self) -> str:
        """An argument that says when nobody holds it any more."""
        return self.define(
            "Marker",
            "class Marker:",
            "    def __init__(self, name):",
            "        self.name = name",
            "",
            "    def __del__(self):",
            '        print(self.name, "is released")',
        )

    def in_context(self, value: int | None) -> str:
        if value is None:
            return ""
        self.variable()
        lines = (
            "context = contextvars.copy_context()",
            f"context.run({self.variable()}.set, value)",
            "return context",
        )
        self.define("context_with", "def context_with(value):", *indented(list(lines)))
        return f", context=context_with({value})"

    # -- things with a name that are used later ---------------------------------------------------------

    def sources(self, kinds: frozenset[str], label: str) -> list[Path]:
        return self.survey.paths(kinds, label)

    def stored(self, table: str, kinds: frozenset[str], asking: list[Path], label: str, suffix: str) -> str:
        """The variable, or place in a dictionary, of what is made under that label; empty if nobody asks."""
        sources = self.survey.paths(kinds, label)
        if not sources or (not asking and len(sources) == 1):
            return ""
        local = table == "handles" and all(use[:-1] == sources[0][:-1] for use in asking)
        alone = len(sources) == 1 and (local or len(sources[0]) == 1) and not self.refusable(sources[0])
        if alone and all(self.survey.certain(sources[0], use) for use in asking):
            return self.name((table, label), f"{label}{suffix}")
        self.state(table, f"{table} = {{}}")
        return f"{table}[{quoted(label)}]"

    def condition(self, table: str, kinds: frozenset[str], label: str, use: Path) -> str:
        """The condition under which the thing is there when it is used; empty when it surely is."""
        sure = any(
            self.survey.certain(path, use) and not self.refusable(path) for path in self.sources(kinds, label)
        )
        return "" if sure else f"if {quoted(label)} in {table}"

    def refusable(self, path: Path) -> bool:
        """Whether a sound loop refuses to schedule here."""
        kind, *arguments = self.survey.nodes[path]
        inside_thread = any(self.survey.nodes[path[:end]][0] == "thread" for end in range(1, len(path)))
        wrong_thread = inside_thread and "debug" in self.survey.kinds and kind != "threadsafe"
        strange = kind in ("later", "at") and self.survey.is_strange(arguments[1])
        return strange or wrong_thread or self.survey.closed_before(path)

    def handle(self, label: str) -> str:
        return self.stored("handles", SCHEDULING, self.survey.paths(_ASKING, label), label, "_handle")

    def promise(self, label: str) -> str:
        sources = self.sources(PROMISES, label)
        kind = self.survey.nodes[sources[0]][0] if sources else "future"
        if kind == "group_task":
            self.state("futures", "futures = {}")
            return f"futures[{quoted(label)}]"
        suffix = "_task" if kind in TASKS else "_future" if kind in JOBS else ""
        return self.stored("futures", PROMISES, self.survey.mentions(_REFERRING, label), label, suffix)

    def with_promise(self, place: Place, label: str, lines: Lines) -> Lines:
        return guarded(self.condition("futures", PROMISES, label, place.path), lines)

    def promises(self, labels: Iterable[str]) -> Lines:
        """The variables of those futures and tasks of these that the program makes, each once."""
        return [name for label in dict.fromkeys(labels) if (name := self.promise(label))]

    def with_promises(self, place: Place, labels: Iterable[str], lines: Lines) -> Lines:
        """The lines, under the condition that all of these that the program makes are there."""
        for label in dict.fromkeys(labels):
            lines = self.with_promise(place, label, lines)
        return lines

    def is_task(self, label: str) -> bool:
        return bool(self.sources(TASKS, label))


# -- actions: each gives the lines that perform it ----------------------------------------------------------


def soon(script: LoopScript, place: Place, label: str, body: Program, value: int | None = None) -> Lines:
    return _schedule(script, place, "soon", label, body, value)


def threadsafe(
    script: LoopScript, place: Place, label: str, body: Program, value: int | None = None
) -> Lines:
    return _schedule(script, place, "threadsafe", label, body, value)


def later(
    script: LoopScript, place: Place, label: str, ms: Any, body: Program, value: int | None = None
) -> Lines:
    return _schedule(script, place, "later", label, body, value, ms)


def at(
    script: LoopScript, place: Place, label: str, ms: Any, body: Program, value: int | None = None
) -> Lines:
    return _schedule(script, place, "at", label, body, value, ms)


def _schedule(
    script: LoopScript, place: Place, via: str, label: str, body: Program, value: int | None, ms: Any = None
) -> Lines:
    function = script.callback(label, body, place, via, ms)
    parts = []
    if via == "later":
        parts.append(seconds(ms))
    elif via == "at":
        script.state("base", "base = loop.time()")
        parts.append(f"base + {seconds(ms)}")
    parts.append(function)
    rounds = max((action[1] for action in body if action[0] == "again"), default=1)
    if argument := script.argument(label, via, ms, rounds)[1]:
        parts.append(argument)
    context = script.in_context(value)
    handle = script.handle(label) or ("handle" if script.question else "")
    call = f"loop.{METHODS[via]}({', '.join(parts)}{context})"
    lines = [f"{handle} = {call}" if handle else call]
    if script.question and (via in ("later", "at") or "when" not in script.question):
        lines.append(f"print({quoted(label)}, {script.question.format(handle)})")
    if not script.refusable(place.path):
        return lines
    if handle or context:
        return ["try:", *indented(lines), "except Exception as error:", "    print(repr(error))"]
    return script.attempt(f"loop.{METHODS[via]}", *parts)


def again(script: LoopScript, place: Place, count: int) -> Lines:
    if not place.via or count < 2:
        return []
    label = script.survey.nodes[place.path[:-1]]
    key = quoted(label[2] if label[0] == "on_done" else label[1])
    if place.via in ("soon", "threadsafe"):
        call = f"loop.{METHODS[place.via]}({place.function})"
    elif place.via == "done":
        call = f"loop.call_later(0, {place.function}, future)"
    else:
        call = f"loop.call_later({seconds(place.ms)}, {', '.join(_timer_again(script, place))})"
    return [f"if runs[{key}] < {count}:", f"    {call}"]


def _timer_again(script: LoopScript, place: Place) -> Lines:
    body = next(part for part in script.survey.nodes[place.path[:-1]] if isinstance(part, tuple))
    rounds = max(action[1] for action in body if action[0] == "again")
    argument = script.argument("", place.via, place.ms, rounds)[1]
    if argument.startswith("base"):
        argument = f"loop.time() + {seconds(place.ms)}"
    return [place.function, argument] if argument else [place.function]


def cancel(script: LoopScript, place: Place, label: str) -> Lines:
    handle = script.handle(label)
    if not handle:
        return _one_of_a_bulk(script, label, "{}.cancel()")
    lines = [f"{handle}.cancel()"]
    if script.marks:
        lines.append(f'print({quoted(label)}, "is cancelled")')
    elif "when" in script.question:
        lines.append(f"print({quoted(label)}, {script.question.format(handle)})")
    return guarded(script.condition("handles", SCHEDULING, label, place.path), lines)


def probe(script: LoopScript, place: Place, label: str) -> Lines:
    handle = script.handle(label)
    if not handle:
        return _one_of_a_bulk(script, label, f'print({quoted(label)}, "cancelled:", {{}}.cancelled())')
    timer = any(script.survey.nodes[path][0] in ("later", "at") for path in script.sources(SCHEDULING, label))
    lines = [f'print({quoted(label)}, "cancelled:", {handle}.cancelled())']
    if timer:
        lines.append(f'print({quoted(label)}, "when:", {handle}.when())')
    return guarded(script.condition("handles", SCHEDULING, label, place.path), lines)


def _one_of_a_bulk(script: LoopScript, label: str, line: str) -> Lines:
    """Timers of a bulk are called label#0, label#1, …"""
    name, _, which = label.rpartition("#")
    if not which.isdecimal() or not script.sources(frozenset({"bulk"}), name):
        return []
    handles = _bulk_handles(script, name)
    return guarded(f"if len({handles}) > {which}", [line.format(f"{handles}[{which}]")])


def bulk(script: LoopScript, _place: Place, label: str, count: int, ms: Any, us: float) -> Lines:
    step = f" {'-' if us < 0 else '+'} i * {number(abs(us))}e-6" if us else ""
    silent = count > SHOWN_BULK
    arguments = "int" if silent else 'print, f"' + label.replace("{", "{{") + '#{i}"'
    call = f"loop.call_later({seconds(ms)}{step}, {arguments})"
    counter = "i" if step or not silent else "_"
    uses = script.survey.paths(frozenset({"cancel_bulk"}), label)
    prefix = f"{label}#"
    kept = uses or any(a[0] in _ASKING and a[1].startswith(prefix) for a in script.survey.nodes.values())
    line = f"{_bulk_handles(script, label)}.append({call})" if kept else call
    return [f"for {counter} in range({count}):", f"    {line}"]


def _bulk_handles(script: LoopScript, label: str) -> str:
    name = script.name(("bulk", label), f"{label}_handles")
    return script.state(name, f"{name} = []")


def cancel_bulk(script: LoopScript, _place: Place, label: str, count: int) -> Lines:
    sources = script.sources(frozenset({"bulk"}), label)
    if not sources or count == 1:
        return []
    handles = _bulk_handles(script, label)
    large = any(script.survey.nodes[path][2] > SHOWN_BULK for path in sources)
    if count:
        return [f"for i, handle in enumerate({handles}):", f"    if i % {count}:", "        handle.cancel()"]
    return [f"for handle in {handles}:", "    handle.cancel()", *([f"{handles}.clear()"] if large else [])]


def setvar(script: LoopScript, _place: Place, value: int) -> Lines:
    return [f"{script.variable()}.set({value})"]


def raise_(_script: LoopScript, place: Place, text: str) -> Lines:
    name = text if text in ("KeyboardInterrupt", "SystemExit") else "ValueError"
    return [f"raise {name}({quoted(place.function)})"]


def block(script: LoopScript, _place: Place, ms: float) -> Lines:
    script.needs("time")
    return [f"time.sleep({seconds(ms)})"]


LINES: Table = {
    "soon": soon,
    "threadsafe": threadsafe,
    "later": later,
    "at": at,
    "again": again,
    "cancel": cancel,
    "probe": probe,
    "bulk": bulk,
    "cancel_bulk": cancel_bulk,
    "setvar": setvar,
    "raise": raise_,
    "block": block,
}
