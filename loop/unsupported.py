"""What muxloop does not offer yet: each method says so by name."""

from __future__ import annotations

import asyncio
from typing import Any, NoReturn


class Unsupported(asyncio.AbstractEventLoop):
    """The methods of the interface that raise NotImplementedError."""

    async def connect_read_pipe(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Not offered yet: NotImplementedError."""
        refuse("connect_read_pipe")

    async def connect_write_pipe(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Not offered yet: NotImplementedError."""
        refuse("connect_write_pipe")

    async def subprocess_exec(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Not offered yet: NotImplementedError."""
        refuse("subprocess_exec")

    async def subprocess_shell(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ARG002
        """Not offered yet: NotImplementedError."""
        refuse("subprocess_shell")


def refuse(method: str) -> NoReturn:
    """NotImplementedError that names the method."""
    raise NotImplementedError(f"{method}: muxloop does not offer it yet")
