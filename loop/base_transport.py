"""What all transports share: whom they tell, and how they fail."""

from __future__ import annotations

import asyncio
from asyncio.log import logger
from typing import Any


class BaseTransport(asyncio.BaseTransport):
    """A transport that has a protocol, until it has told it that the connection is lost."""

    # With a dict, as CPython's have: programs hang what is theirs on a transport, and tests replace a method.
    __slots__ = ("__dict__", "_protocol")

    _extra: dict[str, Any]  # of asyncio.BaseTransport
    _loop: asyncio.AbstractEventLoop  # of the subclass

    def __init__(self, protocol: asyncio.BaseProtocol, extra: dict[str, Any]) -> None:
        super().__init__(extra)
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol that is told what happens; None once it was told that the connection is lost."""
        return self._protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell another protocol from now on."""
        self._protocol = protocol

    def _tell_made(self) -> None:
        """Tell the protocol of the connection; what it raises, but for Ctrl-C, ends that."""
        try:
            self._protocol.connection_made(self)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException as error:
            self._fail(error, "Fatal error: protocol.connection_made() call failed.")

    def _fail(self, error: BaseException, message: str) -> None:
        """End the connection over an error; only those that are not the network's are reported."""
        if not isinstance(error, OSError):
            self._report(error, message)
        elif self._loop.get_debug():
            logger.debug("%r: %s", self, message, exc_info=error)
        trace = error.__traceback__
        if trace is not None and trace.tb_next is None:
            # A system call's. Its frame, and those that called it, hold the protocol, which keeps the error:
            # a cycle, and a stream that dies in one may tell of an error "never retrieved".
            error.__traceback__ = None
        self._lose(error)

    def _report(self, error: BaseException, message: str) -> None:
        self._loop.call_exception_handler(
            {"message": message, "exception": error, "transport": self, "protocol": self._protocol}
        )

    def _lose(self, error: BaseException | None) -> None:
        """End the connection now, and tell the protocol in a later callback."""
        raise NotImplementedError
