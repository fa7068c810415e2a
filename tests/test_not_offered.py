"""What a loop does not offer costs a play nothing: it is noted, and nobody waits for it."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from muxloop.conformance import judge
from muxloop.conformance.judging import HAMPERED_PROGRAMS
from muxloop.conformance.player import play_on_loop


class WithoutPipes(asyncio.SelectorEventLoop):
    """A loop that has no pipes, and says so."""

    async def connect_read_pipe(self, *_arguments: Any) -> Any:
        raise NotImplementedError("no pipes")

    connect_write_pipe = connect_read_pipe


@pytest.mark.skipif(os.name != "posix", reason="Windows' select watches no pipes, and none is made there")
def test_nobody_waits_for_a_pipe_that_cannot_be_connected() -> None:
    events = play_on_loop(WithoutPipes, (("read_pipe", 0, "pipe"), ("run",)), 1.0)
    errors = [data.get("error") for _, _, kind, _, data in events if kind == "piped"]
    assert errors == ["NotImplementedError: no pipes"]
    assert "patience" not in {kind for _, _, kind, _, _ in events}


@pytest.mark.skipif(os.name != "posix", reason="Windows' select watches no pipes, and none is made there")
def test_a_rule_that_no_program_can_put_to_the_test_is_given_up() -> None:
    (report,) = judge(f"{__name__}:WithoutPipes", rules=["PIP-01"], seed=1).subjects
    (verdict,) = report.results
    assert (verdict.outcome, verdict.message) == ("not-offered", "NotImplementedError: no pipes")
    assert verdict.examples == HAMPERED_PROGRAMS
