"""Faults in looking up names and in trying their addresses (rules DNS)."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
from typing import Any

from faulty_base import FaultBed, SteppedLoop

NAME_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@NAME_FAULTS.plant
class LiteralLookedUp(SteppedLoop):
    """invented: an address is looked up as if it were a name. Breaks DNS-01."""

    async def _ensure_resolved(self, address: Any, *, loop: Any, **hints: Any) -> Any:
        return await loop.getaddrinfo(*address[:2], **hints)


@NAME_FAULTS.plant
class AddressesReversed(SteppedLoop):
    """invented: the last address of a name is tried first. Breaks DNS-01."""

    async def _ensure_resolved(self, address: Any, **hints: Any) -> Any:
        return (await super()._ensure_resolved(address, **hints))[::-1]


@NAME_FAULTS.plant
class OnlyFirstAddressTried(SteppedLoop):
    """invented: when the first address of a name refuses, the others are not tried. Breaks DNS-01."""

    async def _ensure_resolved(self, address: Any, **hints: Any) -> Any:
        return (await super()._ensure_resolved(address, **hints))[:1]


@NAME_FAULTS.plant
class HurriedEyeballs(SteppedLoop):
    """invented: the next address is tried long before happy_eyeballs_delay is over. Breaks DNS-01."""

    async def create_connection(
        self, *args: Any, happy_eyeballs_delay: float | None = None, **how: Any
    ) -> Any:
        hurried = None if happy_eyeballs_delay is None else happy_eyeballs_delay / 10
        return await super().create_connection(*args, happy_eyeballs_delay=hurried, **how)


@NAME_FAULTS.plant
class NameWithoutPort(SteppedLoop):
    """invented: getnameinfo forgets the port. Breaks DNS-01."""

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> Any:
        host, _ = await super().getnameinfo(sockaddr, flags)
        return host, ""
