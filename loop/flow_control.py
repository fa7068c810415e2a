"""Telling a protocol to stop writing, and to go on."""

from __future__ import annotations

import asyncio
from asyncio.log import logger
from collections.abc import Callable
from typing import Any

from .base_transport import BaseTransport

_HIGH_WATER = 64 * 1024
_SILENT_WRITES = 5  # after the end, until the log says that somebody does not look


class FlowControl(BaseTransport):
    """The write-buffer limits of a transport: ``pause_writing`` and ``resume_writing`` alternate strictly.

    Source: https://docs.python.org/3/library/asyncio-protocol.html#flow-control-callbacks
    """

    __slots__ = ("_high", "_low", "_paused", "_vain_writes")

    def __init__(self, protocol: asyncio.BaseProtocol, extra: dict[str, Any]) -> None:
        super().__init__(protocol, extra)
        self._high = _HIGH_WATER
        self._low = _HIGH_WATER // 4
        self._paused = False
        self._vain_writes = 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Pause the protocol above ``high`` buffered bytes, resume it at ``low`` or below.

        ``low`` alone makes ``high`` four times as much, ``high`` alone ``low`` a quarter; neither: 64 KiB
        and 16 KiB. Zero: nothing may stay buffered. ValueError unless high >= low >= 0.
        """
        if high is None:
            high = _HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"write-buffer limits need high >= low >= 0, got high={high!r}, low={low!r}")
        self._high = high
        self._low = low
        self._pause_if_high()

    def get_write_buffer_size(self) -> int:
        """Bytes written but not yet taken by the kernel."""
        raise NotImplementedError

    def get_write_buffer_limits(self) -> tuple[int, int]:
        """The limits in bytes: (low, high)."""
        return self._low, self._high

    def _pause_if_high(self) -> None:
        if not self._paused and self.get_write_buffer_size() > self._high:
            self._paused = True
            self._tell("pause_writing")

    def _resume_if_low(self) -> None:
        if self._paused and self.get_write_buffer_size() <= self._low:
            self._paused = False
            self._tell("resume_writing")

    def _tell(self, method: str) -> None:
        call: Callable[[], object] = getattr(self._protocol, method)
        try:
            call()
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._report(error, f"protocol.{method}() failed")

    def _note_vain_write(self) -> None:
        self._vain_writes += 1
        if self._vain_writes >= _SILENT_WRITES:
            logger.warning("%r: write() number %d after the connection was closed", self, self._vain_writes)
