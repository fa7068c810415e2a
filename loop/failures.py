"""What happens to exceptions that nobody catches.

Source: https://docs.python.org/3/library/asyncio-eventloop.html#error-handling-api
"""

from __future__ import annotations

import asyncio
import traceback
from asyncio.log import logger
from collections.abc import Callable
from contextvars import Context
from typing import Any

from .handles import Callback, Handle, TimerHandle, describe_callback

ExceptionHandler = Callable[[asyncio.AbstractEventLoop, dict[str, Any]], object]

# Where in the context a stack stands, and the words it is logged under.
_STACKS = {
    "source_traceback": "Object created at (most recent call last):",
    "handle_traceback": "Handle created at (most recent call last):",
}


class Failures(asyncio.AbstractEventLoop):
    """The exception handler of a loop, and how it is called."""

    _exception_handler: ExceptionHandler | None = None
    _current: Handle | TimerHandle | None = None  # the handle being run; kept in debug mode only

    def get_exception_handler(self) -> ExceptionHandler | None:
        """The handler that was set; None while the default one is in use."""
        return self._exception_handler

    def set_exception_handler(self, handler: ExceptionHandler | None) -> None:
        """Let ``handler(loop, context)`` receive what nobody catches; None for the default.

        TypeError if it is not callable.
        """
        if handler is not None and not callable(handler):
            raise TypeError(f"an exception handler must be callable or None, got {handler!r}")
        self._exception_handler = handler

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        """Log ``context`` as an error, with the exception's traceback if there is one."""
        message = context.get("message") or "Unhandled exception in event loop"
        exception = context.get("exception")
        current = self._current
        if "source_traceback" not in context and current is not None and current._source_traceback:
            context["handle_traceback"] = current._source_traceback
        lines = [message]
        for key in sorted(context):
            if key in _STACKS:
                stack = "".join(traceback.format_list(context[key])).rstrip()
                lines.append(f"{key}: {_STACKS[key]}\n{stack}")
            elif key not in ("message", "exception"):
                lines.append(f"{key}: {context[key]!r}")
        logger.error("\n".join(lines), exc_info=exception if exception is not None else False)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Hand ``context`` to the exception handler, in the context of the task or handle that failed.

        A handler that fails is itself reported through the default one, and the loop goes on. Only
        KeyboardInterrupt and SystemExit pass. The keys of ``context``: message, exception, future, task,
        handle, protocol, transport, socket, asyncgen, source_traceback; all but message are optional.
        """
        handler = self._exception_handler
        if handler is not None:
            try:
                where = _context_of(context)
                if where is None:
                    handler(self, context)
                else:
                    where.run(handler, self, context)
                return
            except (SystemExit, KeyboardInterrupt):
                raise
            except BaseException as error:
                context = {
                    "message": "Unhandled error in exception handler",
                    "exception": error,
                    "context": context,
                }
        try:
            self.default_exception_handler(context)
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:  # a subclass may override it
            logger.error("Exception in default exception handler, called with %r", context, exc_info=True)

    def _callback_failed(
        self, handle: Handle | TimerHandle, callback: Callback, args: tuple[Any, ...], error: BaseException
    ) -> None:
        """Report a callback that raised; its handle may have been cancelled meanwhile."""
        context: dict[str, Any] = {
            "message": f"Exception in callback {describe_callback(callback, args)}",
            "exception": error,
            "handle": handle,
        }
        if handle._source_traceback:
            context["source_traceback"] = handle._source_traceback
        self.call_exception_handler(context)


def _context_of(context: dict[str, Any]) -> Context | None:
    """The contextvars context of what failed (gh-91052)."""
    for key in ("task", "future", "handle"):
        failed = context.get(key)
        if failed is not None:
            # Futures have no context, and neither have tasks before Python 3.12.
            get_context = getattr(failed, "get_context", None)
            where = get_context() if get_context is not None else None
            return where if isinstance(where, Context) else None
    return None
