"""The catalogue: every rule an event loop or a selector is held to, one file per group."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from fnmatch import fnmatchcase

from ...errors import UsageError
from .rule import LEVELS, PLATFORM_FEATURES, Finding, Rule, catalogue

__all__ = ["LEVELS", "PLATFORM_FEATURES", "RULES_VERSION", "Finding", "Rule", "all_rules", "chosen_rules"]

RULES_VERSION = "4"
"""Raised by one whenever a rule comes, goes or changes its meaning."""

LEAVES_OUT = "!"
"""What a glob begins with whose rules are left out."""

_GROUPS = (
    *("ORD", "TMR", "HEAP", "CAN", "IO", "SEL", "THR", "SIG", "LIF", "EXC"),
    *("TRN", "SRV", "DGM", "PIP", "SUB", "TLS", "EXE", "DNS", "RES"),
)
"""The order in which groups are told; one that is not among them comes after."""

# A rule enters itself into the catalogue when its file is imported, so a file in this folder is all it takes.
for _file in pkgutil.iter_modules(__path__):
    importlib.import_module(f".{_file.name}", __name__)


def all_rules() -> list[Rule]:
    """Every rule, group by group."""
    place = {group: number for number, group in enumerate(_GROUPS)}
    return sorted(
        catalogue().values(), key=lambda rule: (place.get(rule.group, len(place)), rule.group, rule.id)
    )


def chosen_rules(globs: Sequence[str]) -> list[Rule]:
    """The rules whose ids fit one of the globs and none that begins with "!"; all where none is named.

    UsageError for a glob that fits no rule, and for globs that leave none.
    """
    rules = all_rules()
    for glob in globs:
        if not any(fnmatchcase(rule.id, glob.removeprefix(LEAVES_OUT)) for rule in rules):
            groups = ", ".join(dict.fromkeys(rule.group for rule in rules))
            raise UsageError(f"--rules {glob}: no rule fits; groups: {groups}; see `muxloop rules`")
    wanted = [glob for glob in globs if not glob.startswith(LEAVES_OUT)] or ["*"]
    unwanted = [glob.removeprefix(LEAVES_OUT) for glob in globs if glob.startswith(LEAVES_OUT)]
    chosen = [rule for rule in rules if _fits(rule, wanted) and not _fits(rule, unwanted)]
    if not chosen:
        raise UsageError(f"--rules {','.join(globs)}: leaves out every rule that it names")
    return chosen


def _fits(rule: Rule, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(rule.id, glob) for glob in globs)
