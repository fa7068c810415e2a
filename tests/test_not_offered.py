"""What a loop does not offer costs a play nothing: it is noted, and nobody waits for it."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from muxloop.conformance.player import play_on_loop


class WithoutPipes(asyncio.SelectorEventLoop):
    """A loop that has no pipes, and says so."""

    async def connect_read_pipe(self, *_arguments: Any) -> Any:
        raise NotImplementedError("no pipes")


@pytest.mark.skipif(os.name != "posix", reason="Windows' select watches no pipes, and none is made there")
def test_nobody_waits_for_a_pipe_that_cannot_be_connected() -> None:
    events = play_on_loop(WithoutPipes, (("read_pipe", 0, "pipe"), ("run",)), 1.0)
    errors = [data.get("error") for _, _, kind, _, data in events if kind == "piped"]
    assert errors == ["NotImplementedError: no pipes"]
    assert "patience" not in {kind for _, _, kind, _, _ in events}
