"""Servers and their clients, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, quoted
from .transports import factory_of, set_up_remotes

_SERVE = """\
def accepted(server):
    number = waiting_clients[server].pop(0)
    if failures[server]:
        failures[server] -= 1
        raise ValueError("raised by the program")
    return {factory}(number)


async def serve(server, **where):
    try:
        if "path" in where:
            made = await loop.create_unix_server(lambda: accepted(server), **where)
        else:
            made = await loop.create_server(lambda: accepted(server), **where)
        servers[server] = made
        addresses[server] = made.sockets[0].family, made.sockets[0].getsockname()
    except Exception as error:
        print("server", server, repr(error))"""

_CLIENT = """\
def client(server, number):
    if server not in servers or number in remotes:
        return
    family, address = addresses[server]
    remotes[number] = socket.socket(family)
    try:
        remotes[number].connect(address)
        waiting_clients[server].append(number)
    except OSError as error:
        print(number, "cannot connect:", repr(error))
    remotes[number].setblocking(False)"""

_ASK = """\
async def ask(server, method):
    try:
        if method == "async with":
            async with servers[server]:
                print("server", server, "serving:", servers[server].is_serving())
        else:
            await getattr(servers[server], method)()
        print("server", server, method, "returned")
    except (Exception, asyncio.CancelledError) as error:
        print("server", server, method, repr(error))"""


def serve(script: LoopScript, _place: Place, pair: int, text: str) -> Lines:
    factory = factory_of(script)
    set_up_remotes(script)
    script.needs("from collections import Counter", "from collections import defaultdict")
    for name in ("servers", "addresses"):
        script.state(name, f"{name} = {{}}")
    script.state("waiting_clients", "waiting_clients = defaultdict(list)")
    script.state("failures", "failures = Counter()")
    script.state("errands", "errands = []")
    script.define("serve", *_SERVE.format(factory=factory).splitlines())
    lines: Lines = []
    where = 'host="127.0.0.1", port=0'
    if text == "tcp not yet":
        where += ", start_serving=False"
    elif text == "abstract":
        script.needs("os")
        where = f'path=f"\\0server-{{os.getpid()}}-{pair}"'
    elif not text.startswith("tcp"):
        script.needs("os", "tempfile")
        script.state("folder", "folder = tempfile.mkdtemp()")
        where = f'path=os.path.join(folder, "server{pair}")'
        if text == "stale path":
            script.needs("socket")
            lines = [f"socket.socket(socket.AF_UNIX).bind(os.path.join(folder, {quoted(f'server{pair}')}))"]
    return [*lines, f"errands.append(loop.create_task(serve({pair}, {where})))"]


def client(script: LoopScript, _place: Place, pair: int, number: int) -> Lines:
    if not _is_served(script, pair):
        return []
    set_up_remotes(script)
    script.needs("socket")
    script.define("client", *_CLIENT.splitlines())
    return [f"client({pair}, {number})"]


def _is_served(script: LoopScript, pair: int) -> bool:
    return pair in script.survey.pairs("serve")


def server(script: LoopScript, _place: Place, pair: int, text: str) -> Lines:
    if not _is_served(script, pair):
        return []
    if text in ("close", "close_clients", "abort_clients"):
        calls = script.attempt(f"servers[{pair}].{text}")
    else:
        script.needs("asyncio")
        script.state("errands", "errands = []")
        script.define("ask", *_ASK.splitlines())
        calls = [f"errands.append(loop.create_task(ask({pair}, {quoted(text)})))"]
    return guarded(f"if {pair} in servers", calls)


def factory_fails(script: LoopScript, _place: Place, pair: int, count: int) -> Lines:
    return [f"failures[{pair}] = {count}"] if _is_served(script, pair) else []


def starve(script: LoopScript, _place: Place) -> Lines:
    script.needs("os", "resource")
    script.state("nofile", "nofile = resource.getrlimit(resource.RLIMIT_NOFILE)")
    script.define(
        "starve",
        "def starve():",
        "    free = os.open(os.devnull, os.O_RDONLY)",
        "    os.close(free)",
        "    resource.setrlimit(resource.RLIMIT_NOFILE, (free, nofile[1]))",
    )
    return ["starve()"]


def feed(script: LoopScript, _place: Place) -> Lines:
    script.needs("resource")
    script.state("nofile", "nofile = resource.getrlimit(resource.RLIMIT_NOFILE)")
    return ["resource.setrlimit(resource.RLIMIT_NOFILE, nofile)"]


LINES: Table = {
    "serve": serve,
    "client": client,
    "server": server,
    "factory_fails": factory_fails,
    "starve": starve,
    "feed": feed,
}
