"""rloop: handles of call_soon() have no cancelled()

Rule:     CAN-02
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     Handle.cancelled: True if the callback was cancelled
Expected: False, and True after cancel()
Seen:     AttributeError
"""

import rloop

handle = rloop.new_event_loop().call_soon(print, "x")
print("has cancelled():", hasattr(handle, "cancelled"))
raise SystemExit(not hasattr(handle, "cancelled"))
