"""Faults in pipes (rules PIP)."""

from __future__ import annotations

import asyncio
from asyncio import unix_events
from typing import Any

from faulty_base import FaultBed, SteppedLoop

PIPE_FAULTS: FaultBed[asyncio.AbstractEventLoop] = FaultBed()

ReadPipe: Any = unix_events._UnixReadPipeTransport  # type: ignore[attr-defined]
WritePipe: Any = unix_events._UnixWritePipeTransport  # type: ignore[attr-defined]


class PipeLoop(SteppedLoop):
    """The reference loop with transports of one's own for pipes; sound as it stands."""

    read_pipe: Any = ReadPipe
    write_pipe: Any = WritePipe

    def _make_read_pipe_transport(self, *arguments: Any, **keywords: Any) -> Any:
        return self.read_pipe(self, *arguments, **keywords)

    def _make_write_pipe_transport(self, *arguments: Any, **keywords: Any) -> Any:
        return self.write_pipe(self, *arguments, **keywords)


plant_reader = PIPE_FAULTS.plant_in(PipeLoop, "read_pipe")
plant_writer = PIPE_FAULTS.plant_in(PipeLoop, "write_pipe")


@plant_reader
class PipeEndForgets(ReadPipe):  # type: ignore[misc]
    """invented: the end of a pipe is noticed and not told. Breaks PIP-01."""

    def _call_connection_lost(self, exc: Exception | None) -> None:
        if exc is None and self._pipe is not None:
            self._pipe.close()


@plant_reader
class PausedPipeReads(ReadPipe):  # type: ignore[misc]
    """invented: what comes while reading is paused is read and thrown away. Breaks PIP-01."""

    def pause_reading(self) -> None:
        self._dropping = True

    def resume_reading(self) -> None:
        self._dropping = False

    def _read_ready(self) -> None:
        protocol = self._protocol
        if getattr(self, "_dropping", False):
            self._protocol = asyncio.Protocol()
        super()._read_ready()
        if self._protocol is not None:
            self._protocol = protocol


@plant_writer
class PipeTailLost(WritePipe):  # type: ignore[misc]
    """23 gh-115514, for pipes: close() drops what is still in the buffer. Breaks PIP-01."""

    def close(self) -> None:
        self._buffer.clear()
        super().close()


@plant_writer
class PartWrittenTwice(WritePipe):  # type: ignore[misc]
    """invented: when the kernel first takes a part of a write, all of it is kept for later. Breaks PIP-01."""

    _repeated = False

    def _write_ready(self) -> None:
        whole = bytes(self._buffer)
        super()._write_ready()
        if self._buffer and not self._repeated:
            self._repeated = True
            self._buffer[:] = whole


@PIPE_FAULTS.plant
class FilesTaken(PipeLoop):
    """seen in rloop 0.5: a regular file is taken for a pipe. Breaks PIP-02."""

    def _make_read_pipe_transport(
        self, _pipe: Any, _protocol: Any, waiter: Any = None, extra: Any = None
    ) -> Any:
        waiter.set_result(None)
        return asyncio.ReadTransport(extra)

    _make_write_pipe_transport = _make_read_pipe_transport


@plant_reader
class NamelessPipe(ReadPipe):  # type: ignore[misc]
    """seen in rloop 0.5: get_extra_info("pipe") knows of no pipe. Breaks PIP-03."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default if name == "pipe" else super().get_extra_info(name, default)
