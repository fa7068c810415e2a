"""talyn: the exception handler does not run in the context of what failed

Rule:     EXC-04
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     loop.set_exception_handler: since 3.12 the handler is called in the context of the task or handle
Expected: the handler sees the variable as the callback set it
Seen:     it sees the default
"""

import contextvars

import talyn

loop = talyn.Loop()
variable = contextvars.ContextVar("variable", default="unset")
seen = []
loop.set_exception_handler(lambda *_: seen.append(variable.get()))


def fail():
    variable.set("set")
    raise ValueError


loop.call_soon(fail)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("the handler sees:", *seen)
raise SystemExit(seen != ["set"])
