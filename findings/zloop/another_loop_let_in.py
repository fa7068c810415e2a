"""zloop: another loop is let in while one runs

Rule:     LIF-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     asyncio.get_running_loop: one loop runs in a thread; CPython raises RuntimeError (test_base_events)
Expected: RuntimeError
Seen:     nothing
"""

import zloop

refused = []
loop = zloop.new_event_loop()


def nested():
    other = zloop.new_event_loop()
    other.call_soon(other.stop)
    try:
        other.run_forever()
    except RuntimeError as error:
        refused.append(error)


loop.call_soon(nested)
loop.call_later(0.05, loop.stop)
loop.run_forever()
print("refused:", bool(refused))
raise SystemExit(not refused)
