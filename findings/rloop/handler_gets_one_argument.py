"""rloop: the exception handler is called with the context alone

Rule:     EXC-01
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.set_exception_handler: a callable with the signature (loop, context)
Expected: two arguments
Seen:     one
"""

import rloop

got = []
loop = rloop.new_event_loop()
loop.set_exception_handler(lambda *arguments: got.append(len(arguments)))
loop.call_soon(int, "no number")
loop.call_later(0.01, loop.stop)
loop.run_forever()
print("arguments:", got)
raise SystemExit(got != [2])
