"""winloop: set_default_executor() takes what is no executor

Rule:     EXE-01
Versions: winloop 0.8.2, CPython 3.13 for Windows on Wine 8
Docs:     loop.set_default_executor: executor must be an instance of ThreadPoolExecutor
Expected: TypeError
Seen:     it is taken
"""

import winloop

loop = winloop.new_event_loop()
try:
    loop.set_default_executor("no executor")
except TypeError as error:
    print("raised:", error)
    raise SystemExit(0) from None
print("it was taken")
raise SystemExit(1)
