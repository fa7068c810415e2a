"""qasync: set_default_executor() ends the process when the executor before was in use

Rule:     DNS-01
Versions: qasync 0.28.0, PySide6 6.12.0, CPython 3.13, Linux
Docs:     loop.set_default_executor sets the executor that run_in_executor uses from then on
Expected: the new executor is used
Seen:     SIGABRT: the threads of the old one are destroyed while they run
"""

import concurrent.futures
import os
import signal

import PySide6.QtCore
import qasync

child = os.fork()
if child == 0:
    loop = qasync.QEventLoop(PySide6.QtCore.QCoreApplication([]))
    loop.run_until_complete(loop.getaddrinfo("127.0.0.1", 80))
    loop.set_default_executor(concurrent.futures.ThreadPoolExecutor(1))
    loop.close()
    raise SystemExit(0)
_, status = os.waitpid(child, 0)
print("exit status:", os.waitstatus_to_exitcode(status))
raise SystemExit(os.waitstatus_to_exitcode(status) == -signal.SIGABRT)
