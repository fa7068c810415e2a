"""Faults in the sock_* methods, each named after the rule that must catch it."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from faulty_base import FaultBed, SteppedLoop

SOCK_CALL_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@SOCK_CALL_FAULTS.plant
class SenderForgotten(SteppedLoop):
    """invented: sock_recvfrom does not say who sent the datagram. Breaks IO-12."""

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> Any:
        return (await super().sock_recvfrom(sock, bufsize))[0], None


@SOCK_CALL_FAULTS.plant
class WholeBufferTaken(SteppedLoop):
    """invented: sock_recvfrom_into ignores the number of bytes that it is to take. Breaks IO-12."""

    async def sock_recvfrom_into(self, sock: socket.socket, buf: Any, nbytes: int = 0) -> Any:
        del nbytes
        return await super().sock_recvfrom_into(sock, buf)


@SOCK_CALL_FAULTS.plant
class SendtoWithoutCount(SteppedLoop):
    """invented: sock_sendto returns None, like sock_sendall. Breaks IO-12."""

    async def sock_sendto(self, sock: socket.socket, data: Any, address: Any) -> Any:
        await super().sock_sendto(sock, data, address)


@SOCK_CALL_FAULTS.plant
class CancelledRecvfromTakesOne(SteppedLoop):
    """11 bpo-30064: a cancelled sock_recvfrom takes the next datagram, and drops it. Breaks IO-12."""

    async def sock_recvfrom(self, sock: socket.socket, bufsize: int) -> Any:
        try:
            return await super().sock_recvfrom(sock, bufsize)
        except asyncio.CancelledError:
            self.add_reader(sock, self._take, sock)
            raise

    def _take(self, sock: socket.socket) -> None:
        self.remove_reader(sock)
        with contextlib.suppress(OSError):
            sock.recvfrom(1)


@SOCK_CALL_FAULTS.plant
class RestSentFromTheStart(SteppedLoop):
    """invented: what the kernel did not take of a sock_sendall is sent from the start again. Breaks IO-13."""

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        sent = sock.send(data)
        if sent < len(data):
            await super().sock_sendall(sock, data[: len(data) - sent])


@SOCK_CALL_FAULTS.plant
class RestNotSent(SteppedLoop):
    """invented: sock_sendall sends what the kernel takes at once, and no more. Breaks IO-13."""

    async def sock_sendall(self, sock: socket.socket, data: Any) -> None:
        sock.send(data)


@SOCK_CALL_FAULTS.plant
class BufferCountedWhole(SteppedLoop):
    """invented: sock_recv_into returns the size of the buffer, whatever came. Breaks IO-13."""

    async def sock_recv_into(self, sock: socket.socket, buf: Any) -> int:
        await super().sock_recv_into(sock, buf)
        return len(buf)
