"""Runs, threads, signals and the life of the loop, as lines of a script."""

from __future__ import annotations

import os

from ..player.threads import DROPPED_INSIDE
from ..program import Program
from ..vocabulary.tasks import LEAVING
from .scheduling import SHOWN_ROUNDS, LoopScript
from .script import Lines, Place, Table, indented, number, quoted

_ON_POSIX = os.name == "posix"
_DURATIONS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)

_RUN_UNTIL = """\
def run_until(future, duration):
    timer = loop.call_later(duration, loop.stop)
    try:
        print("run_until_complete:", loop.run_until_complete(future))
    except BaseException as error:
        print("run_until_complete:", repr(error))
    timer.cancel()"""

_MEASURE = """\
def measure(name):
    gc.collect()
    print(
        f"{name}:",
        f"{len(os.listdir('/dev/fd'))} fds,",
        f"{threading.active_count()} threads,",
        f"{time.process_time() * 1000:.1f} ms of CPU,",
        f"{getattr(sys, 'getallocatedblocks', int)()} memory blocks,",
        f"{resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw} waits",
    )"""


def debug(_script: LoopScript, _place: Place) -> Lines:
    return ["loop.set_debug(True)"]


def run(script: LoopScript, place: Place) -> Lines:
    """run_forever, ended by a timer: a script cannot know that nothing is left to come."""
    duration = number(_duration_s(script, place))
    if _runs_once(script) and not _is_left(script):
        return [f"loop.call_later({duration}, loop.stop)", "loop.run_forever()"]
    if _is_left(script):
        running = ["try:", "    loop.run_forever()", f"except ({', '.join(LEAVING)}) as error:"]
        running.append('    print("-- left by", repr(error))')
    else:
        running = ["loop.run_forever()"]
    lines = [
        "timer = loop.call_later(duration, loop.stop)",
        *running,
        "timer.cancel()",
        'print("-- the run is over")',
    ]
    script.define("run", "def run(duration):", *indented(lines))
    return [f"run({duration})"]


def _runs_once(script: LoopScript) -> bool:
    return sum(action[0] in ("run", "run_until") for action in script.survey.nodes.values()) == 1


def _is_left(script: LoopScript) -> bool:
    """Whether something ends a run that is no Exception."""
    return not script.survey.kinds.isdisjoint({"press", "leaves"}) or any(
        action[0] == "raise" and action[1] in LEAVING for action in script.survey.nodes.values()
    )


def _duration_s(script: LoopScript, place: Place) -> float:
    """Long enough for all there is to come, with what an earlier run that was cut short may have left."""
    program, end = script.survey.program, place.path[0]
    start = 0
    if script.survey.kinds.isdisjoint({"stop", "raise", "leaves"}):
        start = max((i + 1 for i in range(end) if program[i][0] in ("run", "run_until")), default=0)
    needed = 1.5 * script.survey.lasts_s(program[start:end]) + 0.03
    return next((duration for duration in _DURATIONS_S if duration >= needed), round(needed))


def run_until(script: LoopScript, place: Place, label: str) -> Lines:
    name = script.promise(label)
    if not name:
        return []
    duration = number(_duration_s(script, place))
    if _runs_once(script) and not _is_left(script):
        lines = [f"loop.call_later({duration}, loop.stop)", *script.attempt("loop.run_until_complete", name)]
    else:
        script.define("run_until", *_RUN_UNTIL.splitlines())
        lines = [f"run_until({name}, {duration})"]
    return script.with_promise(place, label, lines)


def stop(_script: LoopScript, _place: Place) -> Lines:
    return ["loop.stop()"]


def close(script: LoopScript, place: Place) -> Lines:
    return script.attempt("loop.close") if place.function else ["loop.close()"]


def attempt(script: LoopScript, _place: Place, text: str) -> Lines:
    if text in ("is_running", "is_closed", "time"):
        return [f'print("{text}:", loop.{text}())']
    if text.startswith("another loop"):
        return script.attempt(_another_loop(script, threads=text.endswith("threads")))
    arguments = {
        "call_soon": ("int",),
        "call_soon_threadsafe": ("int",),
        "call_later": ("0.001", "int"),
        "call_at": ("0", "int"),
        "run_in_executor": ("None", "int"),
        "run_forever": (),
        "run_until_complete": ("asyncio.sleep(0)",),
    }.get(text)
    if arguments is None:
        return []
    if text == "run_until_complete":
        script.needs("asyncio")
    return script.attempt(f"loop.{text}", *arguments)


def _another_loop(script: LoopScript, *, threads: bool) -> str:
    lines = [f"other = {script.new_loop}", "try:"]
    if threads:
        script.needs("time")
        lines += [
            "    job = other.run_in_executor(None, int)",
            "    job.add_done_callback(lambda _: other.stop())",
        ]
    else:
        lines.append("    other.call_soon_threadsafe(other.stop)")
    lines += ["    other.run_forever()", "finally:", "    other.close()"]
    if threads:
        lines.append("time.sleep(0.1)  # threads of an executor end a little after close()")
    name = "run_another_loop_with_threads" if threads else "run_another_loop"
    return script.define(name, f"def {name}():", *indented(lines))


def handler(script: LoopScript, _place: Place, text: str) -> Lines:
    if text == "none":
        return ["loop.set_exception_handler(None)"]
    lines = ['print(f"exception handler, {len(arguments)} arguments: {arguments[-1]}")']
    name = "on_error"
    if text == "raise":
        name = "on_error_broken"
        lines.append('raise RuntimeError("this exception handler is broken")')
    script.define(name, f"def {name}(*arguments):", *indented(lines))
    return [f"loop.set_exception_handler({name})"]


def executor(script: LoopScript, _place: Place, label: str) -> Lines:
    call = f"loop.run_in_executor(None, {_job(script, label)}.wait, 5)"
    name = script.promise(label)
    return [f"{name} = {call}" if name else call]


def release(script: LoopScript, _place: Place, label: str) -> Lines:
    return [f"{_job(script, label)}.set()"]


def _job(script: LoopScript, label: str) -> str:
    script.needs("threading")
    name = script.name(("job", label), f"{label}_ends")
    return script.state(name, f"{name} = threading.Event()")


def fork(script: LoopScript, place: Place) -> Lines:
    script.needs("asyncio", "os", "sys")
    return [
        "sys.stdout.flush()",
        "child = os.fork()",
        "if child == 0:",
        '    print("running loop of the child:", asyncio._get_running_loop())',
        *indented([] if place.function else script.attempt("loop.close")),
        "    sys.stdout.flush()",
        "    os._exit(0)",
        'print("the child ended with", os.waitpid(child, 0)[1])',
    ]


def measure(script: LoopScript, _place: Place, text: str) -> Lines:
    script.needs("gc", "sys", "threading", "time", *(["os", "resource"] if _ON_POSIX else []))
    script.define(
        "measure", "\n".join(line for line in _MEASURE.splitlines() if _ON_POSIX or _anywhere(line))
    )
    return [f"measure({quoted(text)})"]


def _anywhere(line: str) -> bool:
    return "/dev/fd" not in line and "resource" not in line


# -- threads, signals, finalisers ---------------------------------------------------------------


def thread(script: LoopScript, place: Place, label: str, body: Program) -> Lines:
    script.needs("threading")
    function = script.function_of("thread", label, body, Place(place.path, thread=True), [])
    start = f"threading.Thread(target={function}).start"
    # Whether a thread is the wrong one can only be told while the loop runs.
    early = "debug" in script.survey.kinds and not place.function
    return [f"loop.call_soon({start})" if early else f"{start}()"]


def flood(script: LoopScript, _place: Place, label: str, count: int) -> Lines:
    if count <= SHOWN_ROUNDS:
        return [f"for i in range({count}):", f"    loop.call_soon_threadsafe(print, {quoted(label)}, i)"]
    name = script.name(("flood", label), f"{label}_seen")
    script.state(name, f"{name} = []")
    script.closing.append(f'print({quoted(label)}, "in order, once each:", {name} == list(range({count})))')
    return [f"for i in range({count}):", f"    loop.call_soon_threadsafe({name}.append, i)"]


def pingpong(script: LoopScript, _place: Place, label: str, count: int) -> Lines:
    script.needs("threading")
    name = script.name(("answered", label), f"{label}_answered")
    script.state(name, f"{name} = threading.Event()")
    said = quoted(label)
    return [
        f"for i in range({count}):",
        f"    {name}.clear()",
        f"    loop.call_soon_threadsafe({name}.set)",
        f"    if not {name}.wait(0.5):",
        f'        print({said}, i, "is lost")',
        "        break",
        "else:",
        f'    print({said}, "all {count} came back")',
    ]


def on_signal(script: LoopScript, place: Place, label: str, body: Program) -> Lines:
    script.needs("signal")
    function = script.callback(label, body, place, "threadsafe")
    return [f"signal.signal(signal.SIGUSR1, lambda *_: loop.call_soon_threadsafe({function}))"]


def signal(script: LoopScript, _place: Place) -> Lines:
    if "on_signal" not in script.survey.kinds:
        return []
    script.needs("signal", "threading")
    return ["signal.pthread_kill(threading.main_thread().ident, signal.SIGUSR1)"]


def finalize(script: LoopScript, place: Place, label: str, body: Program, text: str = "drop") -> Lines:
    script.define(
        "Finalised",
        "class Finalised:",
        "    def __init__(self, callback):",
        "        self.callback = callback",
        "",
        "    def __del__(self):",
        "        loop.call_soon_threadsafe(self.callback)",
    )
    function = script.callback(label, body, place, "threadsafe")
    made = f"Finalised({function})"
    if text == "inside":
        script.needs("sys")
        return [
            f"dying = [{made} for _ in range({DROPPED_INSIDE})]",
            "sys.setprofile(lambda *event: dying and dying.pop())",
            "loop.call_soon_threadsafe(int)",
            "sys.setprofile(None)",
        ]
    return [f"loop.call_later(60, print, {made}).cancel()" if text == "cancel" else made]


LINES: Table = {
    "thread": thread,
    "flood": flood,
    "pingpong": pingpong,
    "on_signal": on_signal,
    "signal": signal,
    "finalize": finalize,
    "debug": debug,
    "run": run,
    "run_until": run_until,
    "stop": stop,
    "close": close,
    "attempt": attempt,
    "handler": handler,
    "executor": executor,
    "release": release,
    "fork": fork,
    "measure": measure,
}
