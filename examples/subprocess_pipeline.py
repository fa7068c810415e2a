"""Subprocesses: a pipeline as the shell builds it, a conversation, a failure, and one that is ended.

    python -m muxloop run examples/subprocess_pipeline.py

It prints:

    pipeline: 5000 lines, 500 of them end in 7
    conversation: 1, 4, 9
    failure: exit code 3, "no such number"
    too slow: ended by the time limit
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

# Programs of one line each, so that the example needs nothing but Python.
COUNT = "for n in range(5000): print(n)"
ONLY_SEVENS = "import sys; sys.stdout.writelines(line for line in sys.stdin if line.endswith('7\\n'))"
SQUARE = "import sys\nfor line in sys.stdin: print(int(line) ** 2, flush=True)"
FAIL = "import sys; sys.exit(print('no such number', file=sys.stderr) or 3)"
SLEEP = "import time; print('asleep', flush=True); time.sleep(3600)"


async def python(program: str, **files: int) -> Process:
    """A Python that runs a program."""
    return await asyncio.create_subprocess_exec(sys.executable, "-c", program, **files)


async def pipeline() -> None:
    """count | only_sevens: the pipe is between the two, and no byte of it passes through the loop."""
    from_one, to_other = os.pipe()
    count = await python(COUNT, stdout=to_other)
    os.close(to_other)  # the reader sees the end of the file when the last one who could write has gone
    sevens = await python(ONLY_SEVENS, stdin=from_one, stdout=PIPE)
    os.close(from_one)
    output, _ = await sevens.communicate()
    await count.wait()
    print(f"pipeline: 5000 lines, {len(output.splitlines())} of them end in 7")


async def conversation() -> None:
    """Write a line, read a line; closing its input tells a program to end."""
    square = await python(SQUARE, stdin=PIPE, stdout=PIPE)
    answers = []
    for number in (1, 2, 3):
        square.stdin.write(b"%d\n" % number)
        await square.stdin.drain()
        answers.append((await square.stdout.readline()).decode().strip())
    square.stdin.close()
    await square.wait()
    print("conversation:", ", ".join(answers))


async def failure() -> None:
    """communicate() reads both outputs to their ends, so that neither pipe can fill up and block."""
    process = await python(FAIL, stdout=PIPE, stderr=PIPE)
    _, errors = await process.communicate()
    print(f'failure: exit code {process.returncode}, "{errors.decode().strip()}"')


async def too_slow() -> None:
    """A time limit ends the waiting, not the process: that is ours to end."""
    process = await python(SLEEP, stdout=PIPE, stdin=DEVNULL)
    await process.stdout.readline()
    try:
        async with asyncio.timeout(0.01):
            await process.wait()
    except TimeoutError:
        process.terminate()
        await process.wait()
        print("too slow: ended by the time limit" if process.returncode else "too slow: ended by itself")


async def main() -> None:
    """Show them all."""
    await pipeline()
    await conversation()
    await failure()
    await too_slow()


if __name__ == "__main__":
    asyncio.run(main())
