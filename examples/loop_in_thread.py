"""A loop in a thread of its own, fed by the main thread, which gets results and exceptions back.

    python -m muxloop run examples/loop_in_thread.py

It prints:

    called in the loop's thread: 1, 2, 3
    a coroutine's result: 42
    a coroutine's exception: division by zero
    a callback's exception: no such word: 'plugh'
    cancelled from here: True
    the loop is closed
"""

import asyncio
import concurrent.futures
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Failures = queue.SimpleQueue[Exception]


@contextmanager
def loop_in_thread(failures: Failures) -> Iterator[asyncio.AbstractEventLoop]:
    """A running loop; what its callbacks raise is put into ``failures``."""
    running: concurrent.futures.Future[asyncio.AbstractEventLoop] = concurrent.futures.Future()
    stopping = asyncio.Event()

    def failed(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        failures.put(context["exception"])

    async def run_until_stopped() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(failed)
        running.set_result(loop)
        await stopping.wait()

    # At its end asyncio.run() cancels the tasks that are left and closes the loop, in its own thread.
    thread = threading.Thread(target=asyncio.run, args=(run_until_stopped(),))
    thread.start()
    loop = running.result()
    try:
        yield loop
    finally:
        # Of a loop's methods, this is the one that other threads may call.
        loop.call_soon_threadsafe(stopping.set)
        thread.join()


async def divide(dividend: int, divisor: int) -> int:
    """Divide, in the loop."""
    await asyncio.sleep(0)
    return dividend // divisor


def say(word: str) -> None:
    """A callback that fails."""
    raise LookupError(f"no such word: {word!r}")


def main() -> None:
    """Feed the loop from the main thread."""
    failures = Failures()
    with loop_in_thread(failures) as loop:
        called: queue.SimpleQueue[str] = queue.SimpleQueue()
        for number in (1, 2, 3):
            loop.call_soon_threadsafe(called.put, str(number))
        print("called in the loop's thread:", ", ".join(called.get() for _ in range(3)))

        print("a coroutine's result:", asyncio.run_coroutine_threadsafe(divide(84, 2), loop).result())
        try:
            asyncio.run_coroutine_threadsafe(divide(1, 0), loop).result()
        except ZeroDivisionError:
            print("a coroutine's exception: division by zero")

        loop.call_soon_threadsafe(say, "plugh")
        try:
            raise failures.get()
        except LookupError as error:
            print("a callback's exception:", *error.args)

        endless = asyncio.run_coroutine_threadsafe(asyncio.Event().wait(), loop)
        endless.cancel()
        try:
            endless.result()
        except concurrent.futures.CancelledError:
            print("cancelled from here:", endless.cancelled())
    print("the loop is closed" if loop.is_closed() else "the loop is still open")


if __name__ == "__main__":
    main()
