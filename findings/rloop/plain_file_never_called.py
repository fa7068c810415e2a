"""rloop: a regular file is taken by add_reader(), and its callback never called

Rule:     IO-09
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     epoll_ctl(2), EPERM; CPython raises PermissionError
Expected: an exception, or a call
Seen:     neither
"""

import tempfile

import rloop

ran = []
loop = rloop.new_event_loop()
with tempfile.TemporaryFile() as file:
    try:
        loop.add_reader(file.fileno(), ran.append, "reader")
    except OSError as error:
        print("raised:", error)
        raise SystemExit(0) from None
    loop.call_later(0.05, loop.stop)
    loop.run_forever()
    print("called:", ran[:1])
    raise SystemExit(not ran)
