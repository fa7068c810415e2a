"""talyn: another loop is let in while one runs

Rule:     LIF-06
Versions: talyn 0.10.4, CPython 3.13, Linux
Docs:     asyncio.run: it cannot be called when another event loop is running in the same thread
Expected: RuntimeError
Seen:     the other loop runs
"""

import talyn

loop = talyn.Loop()
let_in = []


def run_another():
    other = talyn.Loop()
    other.call_later(0, other.stop)
    try:
        other.run_forever()
        let_in.append(True)
    except RuntimeError as error:
        print(error)
    loop.stop()


loop.call_soon(run_another)
loop.run_forever()
print("let in:", bool(let_in))
raise SystemExit(bool(let_in))
