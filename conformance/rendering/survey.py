"""What there is to know of a program before it is written down: what comes first, and how long it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..program import Action, Program
from ..vocabulary import LOOP_ACTIONS

Path = tuple[int, ...]
"""Where an action stands: its number in the outermost program, then in the body of that action, and so on."""

SCHEDULING = frozenset({"soon", "threadsafe", "later", "at"})
CALLBACKS = SCHEDULING | {"on_done", "on_signal", "finalize"}
TASKS = frozenset({"task", "group_task", "made_by"})
COMBINED = frozenset({"gather", "shield"})
JOBS = frozenset({"executor", "job", "process"})
PROMISES = frozenset({"future"}) | JOBS | TASKS | COMBINED
STEPS = frozenset(kind for kind, spec in LOOP_ACTIONS.items() if spec.place == "task")
"""What only a task can do."""
_INTERRUPTING = frozenset({"run", "run_until", "thread", "attempt", "signal", "finalize"}) | STEPS
"""After these, what was scheduled before them may already have run."""
_FAR_MS = 5000.0
"""Nobody waits for timers that are farther away than this."""


class Survey:
    """A program seen as a whole."""

    def __init__(self, program: Program) -> None:
        self.program = _reached(program, "")
        self.nodes: dict[Path, Action] = dict(_nodes(self.program, ()))
        self.kinds = {action[0] for action in self.nodes.values()}

    def paths(self, kinds: frozenset[str], label: str, position: int = 1) -> list[Path]:
        """Where actions of those kinds have that label."""
        return [
            path for path, action in self.nodes.items() if action[0] in kinds and action[position] == label
        ]

    def mentions(self, referring: Mapping[str, int], label: str) -> list[Path]:
        """Where actions refer to that label, in the place given for their kind or behind it."""
        return [
            path
            for path, action in self.nodes.items()
            if action[0] in referring and label in action[referring[action[0]] :]
        ]

    def around(self, path: Path, kinds: frozenset[str]) -> Action | None:
        """The nearest action of those kinds that this one is part of."""
        outer = (self.nodes[path[:end]] for end in range(len(path) - 1, 0, -1))
        return next((action for action in outer if action[0] in kinds), None)

    def pairs(self, *kinds: str) -> set[int]:
        """The pairs to which such a thing happens."""
        return {action[1] for action in self.nodes.values() if action[0] in kinds}

    def is_strange(self, ms: Any) -> bool:
        """Whether a loop may refuse such a delay."""
        return isinstance(ms, str) or (ms is not None and ms > 1e9)

    def closed_before(self, path: Path) -> bool:
        return any(action[0] == "close" for action in self.program[: path[0]])

    def certain(self, source: Path, use: Path) -> bool:
        """Whether what is made at ``source`` exists, for sure, whenever ``use`` is performed."""
        outer, own = source[:-1], source[-1]
        if use[: len(outer)] != outer or self.closed_before(source):
            return False
        sibling = use[len(outer)]
        if len(use) == len(source):
            return sibling > own
        if sibling == own:
            return not self._foreign(source)
        if sibling > own:
            return True
        between = (self.nodes[(*outer, i)][0] for i in range(sibling, own))
        return not self._foreign(source) and _INTERRUPTING.isdisjoint(between)

    def _foreign(self, path: Path) -> bool:
        """Whether another thread may perform this, beside the loop."""
        return any(self.nodes[path[:end]][0] == "thread" for end in range(1, len(path)))

    def repeats(self, path: Path) -> bool:
        """Whether the action may be performed more than once."""
        around = [self.nodes[path[:end]] for end in range(1, len(path))]
        return any(kind in ("reader", "writer", "on_signal", "on") for kind, *_ in around) or any(
            inner[0] == "again" for action in around for inner in _body(action)
        )

    def lasts_s(self, program: Program) -> float:
        """An upper bound, generous, of how long the program keeps a loop busy or waiting."""
        return sum(self._lasts_ms(action) for action in program) / 1000

    def _lasts_ms(self, action: Action) -> float:
        kind, body = action[0], _body(action)
        own = _OWN_MS[kind](action) if kind in _OWN_MS else 0.01
        if kind == "close_link":  # under TLS the peer may not answer
            own += max((made[3] for made in self.nodes.values() if made[0] == "tls_limits"), default=0.0)
        rounds = max((inner[1] for inner in body if inner[0] == "again"), default=1)
        return (own + sum(self._lasts_ms(inner) for inner in body)) * max(1, rounds)


def _near(ms: Any) -> float:
    return float(ms) if not isinstance(ms, str) and 0 < ms <= _FAR_MS else 0.0


DRAINING_MS = 30
"""How long a peer that wants all datagrams looks for more, once a millisecond."""
_OWN_MS: dict[str, Callable[[Action], float]] = {
    "later": lambda action: _near(action[2]),
    "at": lambda action: _near(action[2]),
    "bulk": lambda action: _near(action[3]) + action[2] * (_near(action[4]) / 1000 + 0.02),
    "pause": lambda action: _near(action[1]),
    **dict.fromkeys(["spawn", "communicate"], lambda _: 1000.0),
    "children": lambda _: 500.0,
    "timeout": lambda action: _near(action[2]),
    "wait_for": lambda action: _near(action[2]),
    "wait": lambda action: _near(action[2]),
    "process": lambda _: 300.0,
    "block": lambda action: _near(action[1]),
    "press": lambda action: _near(action[2]) + 100.0,
    "pingpong": lambda action: action[2] * 1.0,
    "flood": lambda action: action[2] * 0.05,
    "fork": lambda _: 100.0,
    "drain_datagrams": lambda _: DRAINING_MS,
    "link": lambda _: 10.0,
    "tls_link": lambda _: 150.0,
    "tls_limits": lambda action: float(action[2] + action[3]),
    "write": lambda action: 1 + action[2] / 50_000,
    "carry": lambda action: 20 + action[1] / 5_000,
    "sendfile": lambda action: 5 + action[2] / 50_000,
}
"""How long an action takes, or puts off what it schedules, apart from its body."""


def _body(action: Action) -> Program:
    return next((argument for argument in action[1:] if isinstance(argument, tuple)), ())


def _nodes(program: Program, outer: Path) -> Iterator[tuple[Path, Action]]:
    for i, action in enumerate(program):
        yield (*outer, i), action
        yield from _nodes(_body(action), (*outer, i))


def _reached(program: Program, owner: str) -> Program:
    """The program without what follows an exception, and without exceptions that nothing would catch."""
    made: list[Action] = []
    for action in program:
        if action[0] == "raise" and owner not in CALLBACKS:
            continue
        made.append(tuple(_reached(part, action[0]) if isinstance(part, tuple) else part for part in action))
        if action[0] in ("raise", "fails", "leaves"):
            break
    return tuple(made)
