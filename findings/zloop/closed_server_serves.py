"""zloop: serve_forever() of a closed server waits for ever

Rule:     SRV-06
Versions: zloop 0.0.1, CPython 3.13, Linux
Docs:     Server.serve_forever: start accepting connections until the coroutine is cancelled
Expected: RuntimeError, as of CPython's own: the server is closed and accepts nobody any more
Seen:     start_serving() returns, and serve_forever() waits for ever, without a socket
"""

import asyncio

import zloop


async def main():
    server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    server.close()
    try:
        await asyncio.wait_for(server.serve_forever(), 0.2)
    except RuntimeError as error:
        return repr(error)
    except TimeoutError:
        return "nothing, in 0.2 s"
    return "nothing"


seen = zloop.new_event_loop().run_until_complete(main())
print("serve_forever() of a closed server raised", seen)
raise SystemExit(seen.startswith("nothing"))
