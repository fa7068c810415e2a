"""A script in the making: imports, state, definitions and statements, put together at the end.

What lives here: names, literals and layout. What an action reads like stands in the sibling files; this one
knows no vocabulary.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .survey import Survey

Lines = list[str]
Table = Mapping[str, Callable[..., Lines]]
"""What writes down each kind of action."""

_NAME_LENGTH = 20
_TEXT_LENGTH = 24
_TAKEN = frozenset(
    re.findall(
        r"\w+",
        """
        accepted add_task addresses ask asyncio attempt awaited base box boxes BufferedTalker carry
        CERTIFICATE child client closed closed_server connect connect_and_start_tls context_with
        contextlib contextvars Counter DatagramTalker defaultdict door endpoints errands EVENT_READ
        EVENT_WRITE factory failures far_ends Finalised finished folder futures gc Greeted groups guests
        handle handles hear job keeps_open kept_open kinds leave let_connect let_connect_by_tls listener
        listeners look loop made many Marker measure multiprocessing muxloop nofile on_error
        on_error_broken open_endpoint options os partial parts PATTERN payload pool press_by_child
        press_by_thread random reactions read_all readers received remotes reset resource rloop run
        run_another_loop run_another_loop_with_threads runs seen select selector selectors send
        send_file sent serve server servers show show_map shown sides signal sock socket spare
        spare_peer ssl start_reading starve struct surviving swallows sys take take_datagrams Talker
        talker tempfile threading time timeouts tls_context TlsEnd told transports uvloop var waiting
        waiting_clients write written zloop
        """,
    )
)
"""Names that the scripts use themselves: no callback may be called so."""


def quoted(text: str) -> str:
    """A string literal, in double quotes where it can be; long texts are cut."""
    literal = repr(text[:_TEXT_LENGTH])
    return f'"{literal[1:-1]}"' if '"' not in literal else literal


def number(value: float) -> str:
    """A number as a person would write it."""
    return f"{value:.10g}".replace("e+", "e")


def seconds(ms: Any) -> str:
    """Milliseconds, a number or 'nan', 'inf' or 'none', as an expression in seconds."""
    if ms == "none":
        return "None"
    return f'float("{ms}")' if isinstance(ms, str) else number(ms / 1000)


def indented(lines: Lines) -> Lines:
    """The lines, one level deeper."""
    return [f"    {line}" if line else "" for line in lines]


def guarded(condition: str, lines: Lines) -> Lines:
    """The lines under ``if condition:`` or the like; as they are when there is no condition."""
    return [f"{condition}:", *indented(lines)] if condition and lines else lines


@dataclass
class Place:
    """Where an action stands: its path from the outermost program, and what performs it."""

    path: tuple[int, ...] = ()
    function: str = ""
    """The name of the function around it; empty for the outermost program."""
    via: str = ""
    """How the callback around it was scheduled; empty when it is no callback."""
    ms: Any = None
    task: str = ""
    """The label of the task around it."""
    pair: int | None = None
    """The pair of which the function around it is reader or writer."""
    thread: bool = False
    last: bool = False
    """Whether nothing follows it in its body."""
    rebound: set[str] = field(default_factory=set)
    """Module variables that the function around it assigns to."""


class Script:
    """Collects what a script needs, each thing once, and lays it out."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self._imports: dict[str, bool] = {}
        self._state: dict[str, Lines] = {}
        self._definitions: dict[str, Lines] = {}
        self._names: dict[Hashable, str] = {}
        self.statements: Lines = []
        self.closing: Lines = []
        """Statements that come last."""

    def needs(self, *modules: str, own: bool = False) -> None:
        """Import these; ``own`` for modules that do not come with Python."""
        for module in modules:
            line = module if module.startswith("from ") else f"import {module}"
            self._imports[line] = own

    def state(self, name: str, *lines: str, first: bool = False) -> str:
        """Statements at the top, or before all others there, that set up this variable; its name."""
        if first and name not in self._state:
            self._state = {name: list(lines), **self._state}
        self._state.setdefault(name, list(lines))
        return name

    def define(self, name: str, *lines: str) -> str:
        """A function or class of that name, given whole; its name."""
        self._definitions.setdefault(name, list(lines))
        return name

    def name(self, key: Hashable, label: str) -> str:
        """The identifier that stands for the key: like the label, and nobody else's."""
        if key not in self._names:
            wanted = _identifier(label)
            taken = set(self._names.values())
            count = 1
            while (name := wanted if count == 1 else f"{wanted}_{count}") in taken:
                count += 1
            self._names[key] = name
        return self._names[key]

    def function(self, key: Hashable, label: str, build: Callable[[str], Lines]) -> str:
        """The function that stands for the key, built when first asked for; its name.

        It is entered before it is built, so that an outer function stands above those that it schedules.
        """
        name = self.name(key, label)
        if name not in self._definitions:
            self._definitions[name] = []
            self._definitions[name] = build(name)
        return name

    def attempt(self, *parts: str) -> Lines:
        """A call that may be refused: what it returns or raises is printed."""
        self.define(
            "attempt",
            "def attempt(call, *arguments):",
            "    try:",
            '        print(f"{call.__name__}: {call(*arguments)!r}")',
            "    except Exception as error:",
            '        print(f"{call.__name__}: {error!r}")',
        )
        return [f"attempt({', '.join(parts)})"]

    def text(self) -> str:
        """The whole script, laid out as formatters lay it out."""
        blocks = ["\n".join(lines) for own in (False, True) if (lines := self._import_lines(own))]
        blocks.append("\n".join(line for lines in self._state.values() for line in lines))
        head = "\n\n".join(block for block in blocks if block)
        definitions = ["\n".join(lines) for lines in self._definitions.values()]
        body = "\n".join([*self.statements, *self.closing])
        if not definitions:
            return "\n".join(part for part in (head, body) if part) + "\n"
        return "\n\n\n".join(part for part in (head, *definitions, body) if part) + "\n"

    def _import_lines(self, own: bool) -> Lines:
        lines = [line for line, belongs in self._imports.items() if belongs is own]
        return sorted(lines, key=lambda line: (line.startswith("from "), line))


def _identifier(label: str) -> str:
    name = re.sub(r"[^0-9A-Za-z_]+", "_", label).strip("_")[:_NAME_LENGTH] or "callback"
    if name[0].isdigit():
        name = f"c{name}"
    reserved = keyword.iskeyword(name) or hasattr(builtins, name) or name in _TAKEN
    return f"{name}_" if reserved or re.fullmatch(r"(ours|peer|fd|address)\d+", name) else name
