"""The players are put together of parts that know nothing of each other: none may shadow another's method."""

from __future__ import annotations

from collections import defaultdict

import pytest
from muxloop.conformance.player import LoopPlayer, SelectorPlayer


@pytest.mark.parametrize("player", [LoopPlayer, SelectorPlayer])
def test_no_two_parts_have_a_method_of_one_name(player: type) -> None:
    owners: dict[str, list[type]] = defaultdict(list)
    for part in player.__mro__[:-1]:
        for name, member in vars(part).items():
            if callable(member) and not name.startswith("__"):
                owners[name].append(part)
    # What a part overrides of what it is built on is meant.
    clashes = {
        name: [part.__name__ for part in parts]
        for name, parts in owners.items()
        if not all(issubclass(parts[0], part) for part in parts)
    }
    assert clashes == {}
