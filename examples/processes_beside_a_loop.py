"""Processes of multiprocessing beside a loop: their pipes are watched, their queue is drained in a thread.

    python -m muxloop run examples/processes_beside_a_loop.py

It prints, on POSIX systems (Windows can neither fork nor watch a pipe):

    fork: a pipe brought 3 answers: [1, 4, 9]
    fork: a queue brought 3 answers: [1, 4, 9]
    fork: exit codes 0 and 0
    spawn: a pipe brought 3 answers: [1, 4, 9]
    spawn: a queue brought 3 answers: [1, 4, 9]
    spawn: exit codes 0 and 0
"""

import asyncio
import multiprocessing
from collections.abc import Iterable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

NUMBERS = [1, 2, 3]


async def square(number: int) -> int:
    """The child has a loop of its own, whatever its parent runs on."""
    await asyncio.sleep(0)
    return number**2


def answer_by_pipe(pipe: Connection) -> None:
    """In the child: answer what comes, to the end of it."""
    with pipe:
        for number in iter(pipe.recv, None):
            pipe.send(asyncio.run(square(number)))


def answer_by_queue(numbers: Iterable[int], answers: Any) -> None:
    """In the child: put the answers into a multiprocessing.Queue."""
    for number in numbers:
        answers.put(asyncio.run(square(number)))


async def ask_by_pipe(pipe: Connection) -> list[int]:
    """In the parent: the loop says when an answer is there, so recv() does not block."""
    loop = asyncio.get_running_loop()
    answers: asyncio.Queue[int] = asyncio.Queue()
    loop.add_reader(pipe.fileno(), lambda: answers.put_nowait(pipe.recv()))
    try:
        for number in NUMBERS:
            pipe.send(number)
        return [await answers.get() for _ in NUMBERS]
    finally:
        loop.remove_reader(pipe.fileno())
        pipe.send(None)
        pipe.close()


async def ended(process: BaseProcess) -> int | None:
    """The exit code, once there is one: the sentinel becomes readable when the process ends."""
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.add_reader(process.sentinel, over.set)
    try:
        await over.wait()
    finally:
        loop.remove_reader(process.sentinel)
    process.join()
    return process.exitcode


async def main(method: str) -> None:
    """Start two processes by one of the ways that there are, and hear both."""
    # What is typed for all start methods at once has no Process.
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    queue = context.Queue()
    # Both start before there is a thread: a fork would copy locks that threads hold, and not the threads.
    by_pipe = context.Process(target=answer_by_pipe, args=(theirs,))
    by_queue = context.Process(target=answer_by_queue, args=(NUMBERS, queue))
    by_pipe.start()
    by_queue.start()
    theirs.close()

    answers = await ask_by_pipe(ours)
    print(f"{method}: a pipe brought {len(answers)} answers: {answers}")
    # A queue has a lock beside its pipe, so it is no file to watch: its blocking get() waits in a thread.
    answers = [await asyncio.to_thread(queue.get) for _ in NUMBERS]
    print(f"{method}: a queue brought {len(answers)} answers: {answers}")
    codes = [await ended(process) for process in (by_pipe, by_queue)]
    print(f"{method}: exit codes {codes[0]} and {codes[1]}")
    queue.close()


if __name__ == "__main__":
    for method in ("fork", "spawn"):
        asyncio.run(main(method))
