"""``connect_read_pipe`` and ``connect_write_pipe``.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#working-with-pipes
"""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from asyncio.log import logger
from collections.abc import Callable
from typing import Any, TypeVar

from .pipe_transports import PipeTransport, ReadPipeTransport, WritePipeTransport
from .sockets import SocketCalls

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Pipes(SocketCalls):
    """A loop that has transports for pipes, FIFOs, terminals and other character devices, and sockets."""

    async def connect_read_pipe(
        self, protocol_factory: Callable[[], P], pipe: Any
    ) -> tuple[ReadPipeTransport, P]:
        """Read ``pipe``, an open file or socket; returns the transport, which closes it, and the protocol.

        The file is made non-blocking. ValueError for regular files, folders and block devices, of which
        readiness says nothing; RuntimeError for a file that another transport reads; OSError or ValueError
        where the selector refuses it; NotImplementedError on Windows. After each of these the file is open.
        """
        _refuse_windows("connect_read_pipe")
        return await self._connect_pipe(ReadPipeTransport, protocol_factory, pipe)

    async def connect_write_pipe(
        self, protocol_factory: Callable[[], P], pipe: Any
    ) -> tuple[WritePipeTransport, P]:
        """Write to ``pipe``; otherwise as ``connect_read_pipe``."""
        _refuse_windows("connect_write_pipe")
        return await self._connect_pipe(WritePipeTransport, protocol_factory, pipe)

    async def _connect_pipe(
        self, kind: type[Any], protocol_factory: Callable[[], P], pipe: Any
    ) -> tuple[Any, P]:
        fd = pipe.fileno()
        mode = os.fstat(fd).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stat.S_ISCHR(mode)):
            raise ValueError(
                f"{pipe!r} is a regular file, a folder or a block device, none of which makes anybody wait: "
                "a pipe transport needs a pipe, a FIFO, a socket or a character device"
            )
        protocol = protocol_factory()
        readiness = self._readiness
        other = readiness.transports.get(fd)
        # A terminal is one file in both directions.
        if not isinstance(other, PipeTransport) or isinstance(other, kind) or other.is_closing():
            readiness.refuse_transport(fd, pipe)
            other = None
        waiter: asyncio.Future[None] = self.create_future()
        transport = kind(self, pipe, mode, protocol, waiter)
        if other is None:
            readiness.adopt(fd, transport)
        try:
            await waiter
        except BaseException:
            transport.close()
            raise
        if self._debug:
            side = "Read" if isinstance(transport, ReadPipeTransport) else "Write"
            logger.debug("%s pipe %r connected: (%r, %r)", side, fd, transport, protocol)
        return transport, protocol


def _refuse_windows(method: str) -> None:
    if sys.platform == "win32":
        raise NotImplementedError(f"{method}(): Windows' select() watches nothing but sockets")
