"""rloop: the transport of a pipe has no get_extra_info()

Rule:     PIP-03
Versions: rloop 0.5.0, CPython 3.13, Linux
Docs:     BaseTransport.get_extra_info(): for pipes 'pipe' is the pipe object
Expected: the file object that connect_read_pipe() was given
Seen:     AttributeError, or None
"""

import asyncio
import os

import rloop


async def main():
    loop = asyncio.get_running_loop()
    reader, writer = os.pipe()
    with open(writer, "wb"), open(reader, "rb", buffering=0) as pipe:
        transport, _ = await loop.connect_read_pipe(asyncio.Protocol, pipe)
        try:
            known = transport.get_extra_info("pipe")
        except AttributeError as error:
            print(error)
            known = None
        print("known:", known)
        return known is pipe


with asyncio.Runner(loop_factory=rloop.new_event_loop) as runner:
    raise SystemExit(not runner.run(main()))
