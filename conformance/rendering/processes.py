"""Subprocesses, as lines of a script."""

from __future__ import annotations

from ..player.processes import LINE, shell_script
from .scheduling import LoopScript
from .script import Lines, Place, Table, indented, quoted

_NOTED = """\
class Noted(asyncio.SubprocessProtocol):
    def __init__(self, name):
        self.name = name
        self.sizes = {}

    def connection_made(self, transport):
        self.transport = transport

    def pipe_data_received(self, fd, data):
        self.sizes[fd] = self.sizes.get(fd, 0) + len(data)

    def pipe_connection_lost(self, fd, exc):
        print(self.name, "pipe_connection_lost:", fd, "after", self.sizes.get(fd, 0), "bytes")

    def process_exited(self):
        print(self.name, "process_exited:", self.transport.get_returncode())

    def connection_lost(self, exc):
        print(self.name, "connection_lost:", repr(exc))"""


def _text(count: int) -> str:
    return f'(b"{LINE.decode().strip()}\\n" * {count // len(LINE) + 1})[:{count}]'


def _start(script: LoopScript, label: str, steps: Lines) -> Lines:
    script.needs("asyncio")
    script.state("processes", "processes = {}")
    script.state("starting", "starting = {}")
    name = script.name(("process", label), f"start_{label}")
    script.define(name, f"async def {name}():", *indented(steps))
    return [f"starting[{quoted(label)}] = loop.create_task({name}())"]


def spawn(script: LoopScript, _place: Place, label: str, text: str, count: int, value: int) -> Lines:
    script.define("Noted", *_NOTED.splitlines())
    said = quoted(label)
    steps = [
        f'shell = "{shell_script(text, count, value)}"',
        f'transport, _ = await loop.subprocess_exec(lambda: Noted({said}), "sh", "-c", shell)',
        f"processes[{said}] = transport",
        "stdin = transport.get_pipe_transport(0)",
        *([f"stdin.write({_text(count)})"] if text == "echo" else []),
        "stdin.close()",
    ]
    return _start(script, label, steps)


def communicate(script: LoopScript, _place: Place, label: str, text: str, count: int, value: int) -> Lines:
    script.needs("from asyncio.subprocess import PIPE")
    said = quoted(label)
    steps = [
        f'shell = "{shell_script(text, count, value)}"',
        'pipes = {"stdin": PIPE, "stdout": PIPE, "stderr": PIPE}',
        'process = await asyncio.create_subprocess_exec("sh", "-c", shell, **pipes)',
        f"processes[{said}] = process",
        f"output, errors = await process.communicate({_text(count) if text == 'echo' else ''})",
        f'print({said}, "ended with", process.returncode, "after", len(output), "and", len(errors), "bytes")',
    ]
    return _start(script, label, steps)


def wait_process(script: LoopScript, _place: Place, label: str) -> Lines:
    script.needs("asyncio")
    script.state("processes", "processes = {}")
    script.state("waiting", "waiting = []")
    script.define(
        "wait_for_the_end",
        "async def wait_for_the_end(name):",
        '    print(name, "wait():", await processes[name].wait())',
    )
    said = quoted(label)
    return [
        f'if hasattr(processes.get({said}), "wait"):',
        f"    waiting.append(loop.create_task(wait_for_the_end({said})))",
    ]


def kill_process(script: LoopScript, _place: Place, label: str, text: str) -> Lines:
    script.state("processes", "processes = {}")
    process = f"processes[{quoted(label)}]"
    if text.startswith("SIG"):
        script.needs("signal")
        lines = script.attempt(f"{process}.send_signal", f"signal.{text}")
    else:
        lines = script.attempt(f"{process}.{text}")
    return [f"if {quoted(label)} in processes:", *indented(lines)]


def cancel_process(script: LoopScript, _place: Place, label: str) -> Lines:
    script.state("starting", "starting = {}")
    said = quoted(label)
    return [f"if {said} in starting:", f'    print({said}, "cancel():", starting[{said}].cancel())']


def children(script: LoopScript, _place: Place) -> Lines:
    script.needs("os", "time")
    script.define(
        "show_children",
        "def show_children(end):",
        "    try:",
        "        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)",
        "    except ChildProcessError:",
        '        print("no children are left")',
        "        return",
        "    if time.monotonic() < end:",
        "        loop.call_later(0.002, show_children, end)",
        "    else:",
        '        print("left behind:", "a zombie" if ended else "a process")',
    )
    return ["show_children(time.monotonic() + 0.5)"]


LINES: Table = {
    "spawn": spawn,
    "communicate": communicate,
    "wait_process": wait_process,
    "kill_process": kill_process,
    "cancel_process": cancel_process,
    "children": children,
}
