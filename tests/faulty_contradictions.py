"""Faults in what connections, servers and endpoints refuse, each named after the rule that must catch it."""

# mypy: disable-error-code="no-any-return"

from __future__ import annotations

import asyncio
import socket
from typing import Any

from faulty_base import FaultBed, SteppedLoop

CONTRADICTION_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()


@CONTRADICTION_FAULTS.plant
class HostBeatsSocket(SteppedLoop):
    """seen in zloop 0.0.1: of a host and a socket create_connection forgets one. Breaks TRN-14."""

    async def create_connection(self, factory: Any, host: Any = None, port: Any = None, **how: Any) -> Any:
        if host is not None:
            how.pop("sock", None)
        return await super().create_connection(factory, host, port, **how)


@CONTRADICTION_FAULTS.plant
class UnixNameUnchecked(SteppedLoop):
    """invented: create_unix_connection takes ssl without a name to check. Breaks TRN-15."""

    async def create_unix_connection(self, factory: Any, path: Any = None, **how: Any) -> Any:
        if how.get("ssl"):
            how.setdefault("server_hostname", "")
        return await super().create_unix_connection(factory, path, **how)


@CONTRADICTION_FAULTS.plant
class ClosedServerWaits(SteppedLoop):
    """seen in rloop 0.5: serve_forever of a closed server waits for ever. Breaks SRV-06."""

    async def create_server(self, *where: Any, **how: Any) -> Any:
        server = await super().create_server(*where, **how)
        serve_forever = server.serve_forever
        server.serve_forever = lambda: serve_forever() if server.sockets else self.create_future()
        return server


@CONTRADICTION_FAULTS.plant
class UnixServerTakesAnySocket(SteppedLoop):
    """seen in zloop 0.0.1: create_unix_server takes a TCP socket. Breaks SRV-07."""

    async def create_unix_server(
        self, factory: Any, path: Any = None, *, sock: Any = None, **how: Any
    ) -> Any:
        if sock is not None and sock.family != socket.AF_UNIX:
            return await self.create_server(factory, sock=sock)
        return await super().create_unix_server(factory, path, sock=sock, **how)


@CONTRADICTION_FAULTS.plant
class StreamTakenForDatagrams(SteppedLoop):
    """invented: create_datagram_endpoint does not look what kind of socket it is given. Breaks DGM-02."""

    async def create_datagram_endpoint(self, factory: Any, *where: Any, sock: Any = None, **how: Any) -> Any:
        if sock is not None and sock.type == socket.SOCK_STREAM:
            return await super().create_datagram_endpoint(factory, local_addr=("127.0.0.1", 0))
        return await super().create_datagram_endpoint(factory, *where, sock=sock, **how)
