"""talyn: Ctrl-C does not wake an idle loop

Rule:     SIG-04
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio-runner, handling keyboard interruption: SIGINT cancels the main task
Expected: the main task is cancelled at once
Seen:     it is not before something else wakes the loop
"""

import asyncio
import contextlib
import signal
import threading
import time

import talyn

cancelled_after = []


async def main():
    threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    start = time.monotonic()
    try:
        await asyncio.sleep(1)
    finally:
        cancelled_after.append(time.monotonic() - start)


with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=talyn.Loop) as runner:
    runner.run(main())
print(f"the task ended after {cancelled_after[0]:.1f} s")
raise SystemExit(cancelled_after[0] > 0.9)
