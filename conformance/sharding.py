"""One run split over machines: which of them judges which rule on which subject.

The pairs of a run, subject by subject and rule by rule, are dealt out in turn, like cards. That depends on
the subjects and rules alone, so machines that were given the same ones need not talk to each other; and it is
fair enough, because a rule whose examples are dear gets fewer of them (``Rule.cost``).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ..errors import UsageError

MOST_SHARDS = 1000

Pair = tuple[str, str]
"""A subject's spec and a rule's id."""


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts of a run, numbered from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def takes(self, position: int) -> bool:
        """Whether the pair at that place of the whole run, counted from 0, is in this shard."""
        return position % self.count == self.number - 1


def shard_in(text: str | None, option: str) -> Shard | None:
    """The shard that the user typed, as in 2/5; UsageError when it is none."""
    if text is None:
        return None
    found = re.fullmatch("([0-9]{1,4})/([0-9]{1,4})", text)
    if found:
        number, count = int(found[1]), int(found[2])
        if 1 <= number <= count <= MOST_SHARDS:
            return Shard(number, count)
    raise UsageError(
        f"{option} {text:.40}: no part of a run; give I/N, I from 1 to N and N up to {MOST_SHARDS}, as in 2/5"
    )


def fingerprint(pairs: Iterable[Pair]) -> str:
    """Twelve hex digits that two runs share when they have the same pairs in the same order."""
    lines = "\n".join(f"{subject}\t{rule}" for subject, rule in pairs)
    return hashlib.sha256(lines.encode()).hexdigest()[:12]
