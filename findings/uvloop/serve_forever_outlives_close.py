"""uvloop: close() of a server does not end its serve_forever()

Rule:     SRV-01
Versions: uvloop 0.23.0, CPython 3.13, Linux
Docs:     Server.serve_forever; CPython cancels it with close() (test_server)
Expected: serve_forever() ends with CancelledError
Seen:     it goes on
"""

import asyncio

import uvloop


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    serving = loop.create_task(server.serve_forever())
    await asyncio.sleep(0.01)
    server.close()
    done, _ = await asyncio.wait([serving], timeout=0.2)
    print("serve_forever() has", "ended" if done else "not ended")
    return not done


raise SystemExit(uvloop.run(main()))
