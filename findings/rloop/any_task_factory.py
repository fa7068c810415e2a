"""rloop: set_task_factory() takes what cannot be called

Rule:     LIF-11
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.set_task_factory: factory must be a callable with the signature matching (loop, coro, **kwargs)
Expected: TypeError
Seen:     nothing is raised; the next create_task() fails instead
"""

import rloop

loop = rloop.new_event_loop()
try:
    loop.set_task_factory(7)
    seen = "nothing"
except TypeError as error:
    seen = f"TypeError: {error}"
print("set_task_factory(7) raised", seen)
raise SystemExit(seen == "nothing")
