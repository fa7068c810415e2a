"""Work in threads: executors, and the name look-ups that run in them."""

from __future__ import annotations

import asyncio
import socket
import threading
import warnings
from asyncio.log import logger
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from .core import Core
from .debugging import examine_callback

T = TypeVar("T")
AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class Executors(Core):
    """``run_in_executor`` and what is built on it."""

    _default_executor: Executor | None = None
    _executor_shut_down = False

    def run_in_executor(  # type: ignore[override]  # the stub leaves the result open
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run ``func(*args)`` in ``executor``, or in the default thread pool if that is None.

        RuntimeError if the loop is closed, or the default executor was shut down.
        """
        self._check_closed()
        if self._debug:
            examine_callback(func, "run_in_executor")
        if executor is None:
            if self._executor_shut_down:
                raise RuntimeError("the default executor was shut down: pass one of your own")
            executor = self._default_executor
            if executor is None:
                executor = self._default_executor = ThreadPoolExecutor(thread_name_prefix="muxloop")
        job: Future[T] = executor.submit(func, *args)
        future = asyncio.wrap_future(job, loop=self)
        self._jobs.add(job)
        # Last of the job's callbacks: the result is queued before the job counts as done.
        job.add_done_callback(self._jobs.discard)
        return future

    def set_default_executor(self, executor: ThreadPoolExecutor) -> None:  # type: ignore[override]
        """Use ``executor`` where None is given. TypeError if it is not a ThreadPoolExecutor."""
        if not isinstance(executor, ThreadPoolExecutor):
            raise TypeError(f"the default executor must be a ThreadPoolExecutor, got {executor!r}")
        self._default_executor = executor

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait until the default executor has finished its jobs; it cannot be used afterwards.

        After ``timeout`` seconds (None: no limit) a RuntimeWarning is given and the rest is abandoned.
        """
        self._executor_shut_down = True
        executor = self._default_executor
        if executor is None:
            return
        joined = self.create_future()
        joiner = threading.Thread(target=self._join, args=(executor, joined), name="muxloop-joiner")
        self._jobs.add(joined)
        joiner.start()
        try:
            async with asyncio.timeout(timeout):
                await joined
        except TimeoutError:
            warnings.warn(
                f"the default executor did not finish its jobs within {timeout} seconds",
                RuntimeWarning,
                stacklevel=2,
            )
            executor.shutdown(wait=False)
        else:
            joiner.join()

    def _join(self, executor: Executor, joined: asyncio.Future[None]) -> None:
        """Runs in a thread of its own: waiting for threads blocks."""
        try:
            executor.shutdown(wait=True)
        finally:
            with suppress(RuntimeError):  # closed meanwhile: nobody waits any more
                self.call_soon_threadsafe(_finish, joined)
            self._jobs.discard(joined)

    def close(self) -> None:
        """As ``Core.close``; the default executor is told to end but not waited for."""
        super().close()
        self._executor_shut_down = True
        executor, self._default_executor = self._default_executor, None
        if executor is not None:
            executor.shutdown(wait=False)

    async def getaddrinfo(  # type: ignore[override]  # the stub is narrower about host and port
        self,
        host: bytes | str | None,
        port: bytes | str | int | None,
        *,
        family: int = 0,
        type: int = 0,  # noqa: A002 - the interface's name
        proto: int = 0,
        flags: int = 0,
    ) -> list[AddressInfo]:
        """``socket.getaddrinfo`` in the default executor; debug mode logs how long it took."""
        started = self.time()
        found: list[Any] = await self.run_in_executor(
            None, socket.getaddrinfo, host, port, family, type, proto, flags
        )
        if self._debug:
            seconds = self.time() - started
            level = "info" if seconds >= self.slow_callback_duration else "debug"
            getattr(logger, level)(
                "Getting address info %s:%s took %.3fms: %r", host, port, seconds * 1e3, found
            )
        return found

    async def getnameinfo(self, sockaddr: Any, flags: int = 0) -> tuple[str, str]:
        """``socket.getnameinfo`` in the default executor."""
        return await self.run_in_executor(None, socket.getnameinfo, sockaddr, flags)


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
