"""Sending a file through TLS: it is read and encrypted here, as no kernel does it for us."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from .streaming import Streaming
    from .tls_writing import TlsWriting

_READ_AT_ONCE = 256 * 1024


async def send_encrypted(
    transport: TlsWriting, loop: Streaming, file: IO[bytes], offset: int, count: int | None
) -> int:
    """Send ``count`` bytes (None: all) from ``offset`` on; returns how many were sent.

    The file's position is after them, errors included. ConnectionError if the connection is closed before.
    """
    total = 0
    file.seek(offset)
    try:
        while count is None or total < count:
            size = _READ_AT_ONCE if count is None else min(count - total, _READ_AT_ONCE)
            data = await loop.run_in_executor(None, file.read, size)
            if not data:
                break
            await transport._write_all(data)
            total += len(data)
    finally:
        file.seek(offset + total)
    return total
