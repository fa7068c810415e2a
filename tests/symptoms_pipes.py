"""How the faults of `faulty_pipes` show."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from typing import Any

from faulty_pipes import PipeLoop
from symptoms import run, shows

SOUND = (PipeLoop,)
MUCH = 300_000


class Noting(asyncio.Protocol):
    """Notes what it is told, and stops the loop at the end."""

    def __init__(self, loop: Any) -> None:
        self.loop, self.log, self.heard = loop, list[str](), bytearray()
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.heard += data

    def connection_lost(self, _exc: Exception | None) -> None:
        self.log.append("lost")
        self.loop.stop()


def reading(loop: Any) -> tuple[Noting, int]:
    """A protocol that reads from a pipe, and the end to write to."""
    ours, theirs = os.pipe()
    protocol = Noting(loop)
    loop.run_until_complete(loop.connect_read_pipe(lambda: protocol, open(ours, "rb", buffering=0)))  # noqa: SIM115
    return protocol, theirs


@shows("pipe_end_forgets", right=["lost"], sound=SOUND)
def the_end_of_a_pipe_is_told(loop: Any, patience_s: float) -> object:
    protocol, theirs = reading(loop)
    os.close(theirs)
    run(loop, patience_s)
    return protocol.log


@shows("paused_pipe_reads", right=b"kept", sound=SOUND)
def what_comes_in_a_pause_is_kept(loop: Any, patience_s: float) -> object:
    protocol, theirs = reading(loop)
    protocol.transport.pause_reading()
    os.write(theirs, b"kept")
    run(loop, min(patience_s, 0.05))
    protocol.transport.resume_reading()
    loop.call_later(0.02, os.close, theirs)
    run(loop, patience_s)
    return bytes(protocol.heard)


@shows("pipe_tail_lost", "part_written_twice", right=MUCH, sound=SOUND)
def all_that_is_written_arrives(loop: Any, patience_s: float) -> object:
    theirs, ours = os.pipe()
    protocol = Noting(loop)
    loop.run_until_complete(loop.connect_write_pipe(lambda: protocol, open(ours, "wb", buffering=0)))  # noqa: SIM115
    heard = bytearray()

    def read() -> None:
        while data := os.read(theirs, 4096):
            heard.extend(data)

    protocol.transport.write(bytes(MUCH))
    protocol.transport.close()
    reader = threading.Thread(target=read)
    reader.start()
    run(loop, patience_s)
    reader.join()
    os.close(theirs)
    return len(heard)


@shows("files_taken", right="ValueError", sound=SOUND)
def a_file_is_no_pipe(loop: Any, _patience_s: float) -> object:
    with tempfile.TemporaryFile() as file:
        try:
            loop.run_until_complete(loop.connect_read_pipe(asyncio.Protocol, file))
        except ValueError as error:
            return type(error).__name__
    return "none"


@shows("nameless_pipe", right=True, sound=SOUND)
def a_transport_knows_its_pipe(loop: Any, _patience_s: float) -> object:
    protocol, theirs = reading(loop)
    known = protocol.transport.get_extra_info("pipe") is not None
    os.close(theirs)
    return known
