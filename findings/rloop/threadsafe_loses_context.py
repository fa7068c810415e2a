"""rloop: call_soon_threadsafe() inside a callback loses the context of that callback

Rule:     ORD-11
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.call_soon: without context= the current one is used; call_soon_threadsafe is its variant
Expected: the value that is current where it is called
Seen:     the value of the context in which the loop runs
"""

import contextvars

import rloop

var = contextvars.ContextVar("var", default=0)
seen = []
loop = rloop.new_event_loop()
context = contextvars.copy_context()
context.run(var.set, 1)
loop.call_later(0, lambda: loop.call_soon_threadsafe(lambda: seen.append(var.get())), context=context)
loop.call_later(0.01, loop.stop)
loop.run_forever()
print("seen:", seen)
raise SystemExit(seen != [1])
