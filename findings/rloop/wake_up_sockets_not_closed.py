"""rloop: the sockets of a run are left to the collector, which warns of them

Rule:     RES-04
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     loop.close; ResourceWarning
Expected: no warning
Seen:     ResourceWarning: unclosed <socket.socket …>, twice for each run
"""

import gc
import warnings

import rloop

with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    loop = rloop.new_event_loop()
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    del loop
    gc.collect()
print("warnings:", [str(warning.message) for warning in warned])
raise SystemExit(any(warning.category is ResourceWarning for warning in warned))
