"""Addresses: looked up only when they are names, and ordered for connecting."""

from __future__ import annotations

import asyncio
import socket
from asyncio.trsock import TransportSocket
from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Any

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


async def resolve(
    loop: asyncio.AbstractEventLoop,
    address: Any,
    *,
    family: int = 0,
    kind: int = socket.SOCK_STREAM,
    proto: int = 0,
    flags: int = 0,
) -> list[Any]:
    """``loop.getaddrinfo`` of a (host, port, …) address; a literal IP address never reaches the resolver.

    OSError if the name is unknown or has no address.
    """
    literal = _literal(address, family, kind, proto)
    if literal is not None:
        return [literal]
    host, port = address[:2]
    found = await loop.getaddrinfo(host, port, family=family, type=kind, proto=proto, flags=flags)
    if not found:
        raise OSError(f"getaddrinfo({host!r}) returned no address")
    return found


def _literal(address: Any, family: int, kind: int, proto: int) -> AddressInfo | None:
    host, port = address[:2]
    if isinstance(host, bytes):
        try:
            host = host.decode("ascii")
        except UnicodeDecodeError:
            return None
    # Zones ("fe80::1%eth0") and service names ("http") are the resolver's trade.
    if not host or "%" in host or proto not in (0, socket.IPPROTO_TCP, socket.IPPROTO_UDP):
        return None
    try:
        number = int(port or 0)
    except (TypeError, ValueError):
        return None
    for candidate in (socket.AF_INET, socket.AF_INET6):
        if family in (socket.AF_UNSPEC, candidate):
            try:
                socket.inet_pton(candidate, host)
            except (OSError, ValueError):
                continue
            protocol = socket.IPPROTO_TCP if kind == socket.SOCK_STREAM else socket.IPPROTO_UDP
            rest = (*address[2:], 0, 0)[:2] if candidate == socket.AF_INET6 else ()
            return candidate, socket.SocketKind(kind), protocol, "", (host, number, *rest)
    return None


def interleave(infos: Iterable[AddressInfo], first_family_count: int) -> list[AddressInfo]:
    """Alternate the families, after ``first_family_count`` addresses of the first (RFC 8305, section 4)."""
    families: dict[int, list[AddressInfo]] = {}
    for info in infos:
        families.setdefault(info[0], []).append(info)
    first, *others = families.values()
    head, tail = first[: first_family_count - 1], first[first_family_count - 1 :]
    rounds = chain.from_iterable(zip_longest(tail, *others))
    return head + [info for info in rounds if info is not None]


def _name_of(ask: Any) -> Any:
    """A socket's name, if it has one: None where asking is an error."""
    try:
        return ask()
    except OSError:
        return None


def socket_facts(sock: socket.socket, peername: Any = None) -> dict[str, Any]:
    """What ``get_extra_info`` of a transport tells of its socket; ``peername`` where it is known already."""
    return {
        "socket": TransportSocket(sock),
        "sockname": _name_of(sock.getsockname),
        "peername": _name_of(sock.getpeername) if peername is None else peername,
    }
