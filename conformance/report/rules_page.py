"""The catalogue of rules as a page of Markdown, drawn from the rules themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from . import marking
from .catalogue import GROUP_TITLES, Rule
from .standing import counted

INTRODUCTION = """\
# The rules

<!-- Drawn by `muxloop rules --markdown`: edit the rules in conformance/rules/ instead. -->

What `muxloop conform` judges an event loop or a selector by: {count}, version {version} of the catalogue.
A loop *fails* when it breaks a rule of level R; on the other levels it *deviates*. The version of the
catalogue is raised whenever a rule comes, goes or asks something else; so is, in the last case, that of the
rule, which is 1 where none is named.
"""


class ListedRule(Rule, Protocol):
    """A rule, and when it is judged."""

    @property
    def judges(self) -> str:
        """``loop`` or ``selector``."""

    @property
    def timed(self) -> bool:
        """Whether it rests on an upper bound of time, CPU or memory."""

    @property
    def capability(self) -> str | None:
        """What a subject has to claim to be judged by it."""

    @property
    def needs(self) -> str | None:
        """What the platform has to have."""

    @property
    def version(self) -> int:
        """How many meanings it has had."""


def rules_page(rules: Iterable[ListedRule], levels: Mapping[str, str], version: str) -> str:
    """The page, with its last line ended; ``levels`` says what each level means."""
    groups: dict[str, list[ListedRule]] = {}
    for rule in rules:
        groups.setdefault(rule.group, []).append(rule)
    count = counted(sum(map(len, groups.values())), "rule")
    parts = [INTRODUCTION.format(count=count, version=version), _overview(groups, levels)]
    parts.append("\n".join(f"- **{level}**: {marking.line(meaning)}" for level, meaning in levels.items()))
    parts += [_group(group, listed) for group, listed in groups.items()]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _overview(groups: Mapping[str, list[ListedRule]], levels: Mapping[str, str]) -> str:
    rows = []
    for group, listed in groups.items():
        of_level = [sum(1 for rule in listed if rule.level == level) for level in levels]
        numbers = [str(number or "") for number in of_level]
        rows.append([f"[{group}](#{_anchor(group)})", _title(group), *numbers, str(len(listed))])
    sums = [sum(1 for listed in groups.values() for r in listed if r.level == level) for level in levels]
    rows.append(["", "all", *map(str, sums), str(sum(sums))])
    return marking.table(["group", "about", *levels, "rules"], rows)


def _group(group: str, rules: list[ListedRule]) -> str:
    rows = [
        [
            # The target of a link to the rule: no heading of its own, so that a table can be skimmed.
            f'<a id="{_anchor(rule.id)}"></a>{rule.id}',
            rule.level,
            marking.line(rule.sentence) + _conditions(rule),
            marking.line(rule.source),
        ]
        for rule in rules
    ]
    heading = f'<a id="{_anchor(group)}"></a>\n\n## {group}: {_title(group)}'
    return f"{heading}\n\n{marking.table(['rule', 'level', 'what is asked', 'on whose word'], rows)}"


def _conditions(rule: ListedRule) -> str:
    """When the rule is judged at all, and with what allowance."""
    parts = [f"version {rule.version}"] if rule.version > 1 else []
    if rule.judges != "loop":
        parts.append(f"judges {rule.judges}s")
    if rule.capability is not None:
        parts.append(f"only of subjects that claim {marking.code(rule.capability)}")
    if rule.needs is not None:
        parts.append(f"only where there is {marking.code(rule.needs)}")
    if rule.timed:
        parts.append("measured: a finding counts when it comes again")
    return f" *({'; '.join(parts)})*" if parts else ""


def _title(group: str) -> str:
    return GROUP_TITLES.get(group, group)


def _anchor(name: str) -> str:
    return name.lower()
