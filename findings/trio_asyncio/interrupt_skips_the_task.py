"""trio_asyncio: Ctrl-C ends the run before the main task is cancelled

Rule:     SIG-04
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     asyncio-runner, handling keyboard interruption: SIGINT cancels the main task first
Expected: the task is cancelled, KeyboardInterrupt
Seen:     KeyboardInterrupt first: what the task's cleaning up awaits is left to Runner.close()
"""

import asyncio
import signal
import threading

import trio_asyncio

told = []


async def main():
    threading.Timer(0.1, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT)).start()
    try:
        await asyncio.sleep(1)
    finally:
        told.append("cancelled")


with asyncio.Runner(loop_factory=trio_asyncio.TrioPolicy().new_event_loop) as runner:
    try:
        runner.run(main())
    except KeyboardInterrupt:
        told.append("KeyboardInterrupt")
print(*told, sep=", ")
raise SystemExit(told != ["cancelled", "KeyboardInterrupt"])
