"""trio_asyncio: add_reader() of a regular file raises nothing, and nothing is called

Rule:     IO-09
Versions: trio-asyncio 0.16.0, trio 0.35.0, CPython 3.13, Linux
Docs:     none; CPython's loop raises PermissionError at once where epoll refuses the file
Expected: PermissionError, or calls
Seen:     neither: the exception handler is told, and the reader stays for ever
"""

import tempfile

import trio_asyncio

loop = trio_asyncio.TrioPolicy().new_event_loop()
calls, told = [], []
loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
with tempfile.TemporaryFile() as file:
    try:
        loop.add_reader(file, calls.append, 1)
        loop.call_later(0.05, loop.stop)
        loop.run_forever()
    except PermissionError as error:
        raise SystemExit(0) from error
print("calls:", len(calls), "told:", told)
raise SystemExit(not calls)
