"""Signals that the loop handles, and Ctrl-C under asyncio's Runner, as lines of a script."""

from __future__ import annotations

from ..program import Program
from .scheduling import LoopScript
from .script import Lines, Place, Table, guarded, indented, quoted, seconds


def add_signal(script: LoopScript, place: Place, text: str, label: str, body: Program) -> Lines:
    script.needs("signal")
    head = [script.announcement(label)]
    rounds = max((action[1] for action in body if action[0] == "resend"), default=0)
    if rounds:
        script.needs("from collections import Counter")
        script.state("runs", "runs = Counter()")
        key = quoted(label)
        head = [f"runs[{key}] += 1"]
        head += guarded(f"if runs[{key}] == {rounds}", [f'print({key}, "ran {rounds} times")'])
    function = script.function_of("signal", label, body, Place(place.path, via="signal"), head)
    return [f"loop.add_signal_handler(signal.{text}, {function})"]


def remove_signal(script: LoopScript, _place: Place, text: str) -> Lines:
    script.needs("signal")
    return [f'print("remove_signal_handler:", loop.remove_signal_handler(signal.{text}))']


def kill(script: LoopScript, place: Place, text: str, count: int = 1) -> Lines:
    script.needs("os", "signal")
    lines = _unless_deadly(script, place, text, f"os.kill(os.getpid(), signal.{text})")
    return lines if count == 1 else [f"for _ in range({count}):", *indented(lines)] if count else []


def _unless_deadly(script: LoopScript, place: Place, text: str, line: str) -> Lines:
    """A signal that no handler takes would end the script."""
    adding = script.survey.paths(frozenset({"add_signal"}), text)
    sure = any(script.survey.certain(path, place.path) for path in adding)
    if sure and "remove_signal" not in script.survey.kinds:
        return [line]
    return guarded(f"if signal.getsignal(signal.{text}) != signal.SIG_DFL", [line])


def resend(script: LoopScript, place: Place, count: int) -> Lines:
    around = script.survey.nodes[place.path[:-1]] if len(place.path) > 1 else ("",)
    if around[0] != "add_signal" or place.via != "signal":
        return []
    script.needs("os", "signal")
    line = f"os.kill(os.getpid(), signal.{around[1]})"
    return [f"if runs[{quoted(around[2])}] < {count}:", f"    {line}"]


def refuse_signal(script: LoopScript, _place: Place, text: str) -> Lines:
    _, _, which = text.partition(" ")
    script.needs("signal")
    if which == "in a thread":
        script.needs("threading")
        (call,) = script.attempt("loop.add_signal_handler", "signal.SIGUSR1", "int")
        arguments = call.removeprefix("attempt(").removesuffix(")")
        return [
            f"thread = threading.Thread(target=attempt, args=({arguments}))",
            "thread.start()",
            "thread.join()",
        ]
    number = f"signal.{which}" if which.startswith("SIG") else which
    return script.attempt("loop.add_signal_handler", number, "int")


def runner(script: LoopScript, place: Place, label: str, body: Program, ms: float) -> Lines:
    """The runner's loop takes the place of the script's own one."""
    script.needs("asyncio")
    said = quoted(label)
    inner = Place(place.path, via="runner")

    def build(name: str) -> Lines:
        inner.function = name
        return [
            f"async def {name}():",
            "    try:",
            *indented(indented(script.body(body, inner))),
            f"        await asyncio.sleep({seconds(ms)})",
            f'        print({said}, "ends")',
            "    except asyncio.CancelledError:",
            f'        print({said}, "is cancelled")',
            "        raise",
            "    finally:",
            "        await asyncio.sleep(0)",
            f'        print({said}, "has cleaned up")',
        ]

    main = script.function(("runner", label, body), label, build)
    return [
        "try:",
        "    with asyncio.Runner(loop_factory=lambda: loop) as runner:",
        f"        runner.run({main}())",
        "except BaseException as error:",
        '    print("the run ended with", repr(error))',
    ]


def interrupt(script: LoopScript, _place: Place) -> Lines:
    script.needs("signal", "threading")
    return ["signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)"]


_PRESSED_BY = {
    "thread": ["    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)"],
    "child": [
        "    child = os.fork()",
        "    if child == 0:",
        "        os.kill(os.getppid(), signal.SIGINT)",
        "        os._exit(0)",
        "    os.waitpid(child, 0)",
    ],
}


def press(script: LoopScript, _place: Place, text: str, ms: float) -> Lines:
    script.needs("signal", "threading", *(["os"] if text == "child" else []))
    name = script.define(f"press_by_{text}", f"def press_by_{text}():", *_PRESSED_BY[text])
    return [
        "signal.signal(signal.SIGINT, signal.default_int_handler)",
        f"loop.call_soon(threading.Timer({seconds(ms)}, {name}).start)",
    ]


LINES: Table = {
    "add_signal": add_signal,
    "remove_signal": remove_signal,
    "kill": kill,
    "resend": resend,
    "refuse_signal": refuse_signal,
    "runner": runner,
    "interrupt": interrupt,
    "press": press,
}
