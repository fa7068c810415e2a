"""The kill matrix as a page: which rules catch which planted faults. The page is its own memory.

``ci/kill_matrix.py`` plays and draws it; ``test_kill_matrix.py`` holds the page in docs/ to the faults.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import hypothesis
from faulty_base import Fault
from hypothesis import HealthCheck, Phase
from muxloop.conformance.rules import RULES_VERSION, Rule, all_rules

INTRODUCTION = """\
# The kill matrix

<!-- Drawn by `ci/kill_matrix.sh --markdown docs/kill-matrix.md`: do not edit, but judge anew. -->

What a suite is worth shows in the faults that it finds. Each of these is planted: a loop or a selector that
is sound but for one thing, many of them after a bug that a real one had. Each is judged by the rules of its
group; **bold** is the rule that the fault breaks, the others caught it too. *In quick* means that its rule
caught it in the quick profile with each of three seeds, *in default* that it took the default profile, with
each of three seeds. A rule's programs count as made up when a hundred of them have at least {varied} shapes
(the same kinds of actions in the same nesting); the others differ in numbers alone.
"""
DRAWN = 100
VARIED = 10
"""Of as many programs drawn, so many of different shapes make a rule one whose programs are made up."""
STEADY = ("quick", "default")
_NUMBERED = re.compile(r"(?:^| and |, )(\d{1,2}) (?=[a-z])(.+?)(?=(?: and |, )\d{1,2} [a-z]|$)")
_LINE = re.compile(
    r"^(?P<shapes>\d+) shapes in \d+ programs\.$"
    r"|^\| `(?P<name>\w+)` \|.*\| (?P<found>[^|]*) \| (?P<caught>[^|]*) \|$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Catch:
    """What came of judging one fault."""

    found: str
    """The profile that catches it with every seed; else in how many runs of which it was caught."""
    caught_by: tuple[str, ...]
    shapes: int
    """Of a hundred programs of the rule that the fault breaks."""

    def by(self, rule: str) -> bool:
        """Whether the rule caught it, whatever the seed."""
        return self.found in STEADY and rule in self.caught_by


def catches_on(page: str) -> dict[str, Catch]:
    """What a page says of each fault, by the fault's name."""
    catches = {}
    shapes = 0
    for line in _LINE.finditer(page):
        if line["shapes"]:
            shapes = int(line["shapes"])
        else:
            rules = tuple(re.findall(r"[A-Z]+-\d\d", line["caught"]))
            catches[line["name"]] = Catch(line["found"].removeprefix("in "), rules, shapes)
    return catches


def drawn(faults: Iterable[Fault[Any]], catches: Mapping[str, Catch]) -> str:
    """The page; tells only of faults that were judged."""
    judged = [fault for fault in faults if fault.name in catches]
    parts = [INTRODUCTION.format(varied=VARIED), _summary(judged, catches), _historical(judged)]
    for rule in all_rules():
        planted = [fault for fault in judged if fault.rule == rule.id]
        if planted:
            parts.append(_section(rule, planted, catches))
    return "\n".join(parts)


def _section(rule: Rule, planted: list[Fault[Any]], catches: Mapping[str, Catch]) -> str:
    lines = [
        f"## {rule.id}: {rule.sentence}\n",
        f"{catches[planted[0].name].shapes} shapes in {DRAWN} programs.\n",
        "| fault | after | what is wrong | found | caught by |\n|---|---|---|---|---|",
    ]
    for fault in planted:
        catch = catches[fault.name]
        rules = [f"**{one}**" if one == rule.id else one for one in catch.caught_by]
        symptom = fault.symptom.replace("|", "\\|")
        found = f"in {catch.found}" if catch.found in STEADY else catch.found
        lines.append(
            f"| `{fault.name}` | {fault.issue} | {symptom} | {found} | {', '.join(rules) or 'nothing'} |"
        )
    return "\n".join(lines) + "\n"


def _summary(judged: list[Fault[Any]], catches: Mapping[str, Catch]) -> str:
    caught = [fault for fault in judged if catches[fault.name].by(fault.rule)]
    quick = [fault for fault in caught if catches[fault.name].found == "quick"]
    varied = [fault for fault in caught if catches[fault.name].shapes >= VARIED]
    several = [fault for fault in caught if len(catches[fault.name].caught_by) > 1]
    rows = [
        ("planted", len(judged)),
        ("rules that one of them breaks", len({fault.rule for fault in judged})),
        ("caught by the rule that they break, with each of three seeds", len(caught)),
        ("… in the quick profile", len(quick)),
        ("… by programs that are made up", len(varied)),
        ("… by other rules of the group as well", len(several)),
        ("after a bug that a loop or selector had", sum(_is_real(fault) for fault in judged)),
    ]
    lines = [f"| faults, rules version {RULES_VERSION} | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {number} |" for what, number in rows), ""])


def _is_real(fault: Fault[Any]) -> bool:
    return fault.issue != "invented"


def _historical(judged: list[Fault[Any]]) -> str:
    """The bugs of the list from which planting began, and what became of each."""
    found: dict[int, dict[str, list[str]]] = {}
    for fault in judged:
        for number, issue in _NUMBERED.findall(fault.issue):
            of_number = found.setdefault(int(number), {})
            of_number.setdefault(issue, []).append(f"`{fault.name}` ({fault.rule})")
    lines = ["## Bugs of the past\n", "| | upstream | planted as |\n|---|---|---|"]
    for number, issues in sorted(found.items()):
        planted = ", ".join(name for names in issues.values() for name in names)
        lines.append(f"| {number} | {'; '.join(issues)} | {planted} |")
    return "\n".join(lines) + "\n"


@functools.cache
def shapes_of(rule: Rule) -> int:
    """How many shapes a hundred of the rule's programs have."""
    shapes = set()

    @hypothesis.seed(1)
    @hypothesis.settings(
        max_examples=DRAWN,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(rule.programs)
    def look_at(program: Any) -> None:
        shapes.add(_shape(program))

    look_at()
    return len(shapes)


def _shape(part: tuple[Any, ...]) -> tuple[Any, ...]:
    """A program or an action without its labels and numbers."""
    inner = tuple(_shape(one) for one in part if isinstance(one, tuple))
    return (part[0], *inner) if part and isinstance(part[0], str) else inner
