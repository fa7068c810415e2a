"""talyn: close() raises in a forked child

Rule:     LIF-08
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     none; CPython's loop can be closed by a child that has no use for it
Expected: the child's copy is closed
Seen:     RuntimeError: Event loop was created in a parent process
"""

import os

import talyn

loop = talyn.Loop()
child = os.fork()
if child == 0:
    try:
        loop.close()
    except RuntimeError as error:
        print(error, flush=True)
        os._exit(1)
    os._exit(0)
_, status = os.waitpid(child, 0)
raise SystemExit(os.waitstatus_to_exitcode(status))
