"""zloop: add_reader() of a regular file raises RuntimeError without the reason

Rule:     IO-09
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     epoll_ctl(2): EPERM, the target file does not support epoll
Expected: PermissionError, as CPython's loop raises
Seen:     RuntimeError: zloop: add_reader/writer failed
"""

import tempfile

import zloop

loop = zloop.new_event_loop()
error = None
with tempfile.TemporaryFile() as file:
    try:
        loop.add_reader(file.fileno(), print)
    except (OSError, RuntimeError) as caught:
        error = caught
print(repr(error))
raise SystemExit(isinstance(error, RuntimeError))
