"""FastAPI on uvicorn, asked by aiohttp on the same loop; Lock, Event, Condition and Semaphore at work.

    python -m muxloop run examples/fastapi_primitives.py

It prints:

    lock: 20 concurrent increments make 20
    event: 5 were let in by one who opened
    condition: nobody took twice: ['coat', 'hat', 'scarf']
    semaphore: 20 requests, at most 3 at a time: True
    the server has stopped
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import uvicorn
from fastapi import FastAPI

app = FastAPI()

lock = asyncio.Lock()
gate = asyncio.Event()
hung_up = asyncio.Condition()
few = asyncio.Semaphore(3)

count = 0
pegs: list[str] = []
inside = 0


@app.post("/count")
async def increment() -> int:
    """Read, wait, write: without the lock, increments would be lost."""
    global count  # noqa: PLW0603
    async with lock:
        seen = count
        await asyncio.sleep(0)
        count = seen + 1
        return count


@app.get("/gate")
async def enter() -> str:
    """Answer once the gate is open."""
    await gate.wait()
    return "in"


@app.post("/gate")
async def open_gate() -> None:
    """Let in all who wait, and all who come later."""
    gate.set()


@app.post("/pegs/{garment}")
async def hang_up(garment: str) -> None:
    """Put something where one of those who wait will take it."""
    async with hung_up:
        pegs.append(garment)
        hung_up.notify()


@app.delete("/pegs")
async def take_down() -> str:
    """Wait for a garment and take it."""
    async with hung_up:
        await hung_up.wait_for(lambda: pegs)
        return pegs.pop()


@app.get("/inside")
async def visit() -> int:
    """How many are inside, this visitor among them."""
    global inside  # noqa: PLW0603
    async with few:
        inside += 1
        await asyncio.sleep(0.001)
        seen = inside
        inside -= 1
        return seen


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """The address of the application while uvicorn serves it."""
    # Whoever connects before uvicorn is up waits in the queue of the listening socket.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def main() -> None:
    """Serve, and ask from many tasks at a time."""
    async with served() as address, aiohttp.ClientSession(address) as session:

        async def ask(method: str, path: str) -> object:
            async with session.request(method, path) as response:
                response.raise_for_status()
                return await response.json()

        counts = await asyncio.gather(*(ask("POST", "/count") for _ in range(20)))
        print(f"lock: {len(counts)} concurrent increments make {max(counts)}")

        *entered, _ = await asyncio.gather(*(ask("GET", "/gate") for _ in range(5)), ask("POST", "/gate"))
        print(f"event: {entered.count('in')} were let in by one who opened")

        garments = ("coat", "hat", "scarf")
        takers = [asyncio.create_task(ask("DELETE", "/pegs")) for _ in garments]
        await asyncio.gather(*(ask("POST", f"/pegs/{garment}") for garment in garments))
        print("condition: nobody took twice:", sorted(await asyncio.gather(*takers)))

        visits = await asyncio.gather(*(ask("GET", "/inside") for _ in range(20)))
        print(f"semaphore: {len(visits)} requests, at most 3 at a time: {max(visits) <= 3}")
    print("the server has stopped")


if __name__ == "__main__":
    asyncio.run(main())
