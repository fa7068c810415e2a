"""Jobs of thread and process pools, as lines of a script."""

from __future__ import annotations

from .scheduling import LoopScript
from .script import Lines, Place, Table, quoted
from .tasks import awaiting


def workers(script: LoopScript, _place: Place, count: int) -> Lines:
    script.needs("from concurrent.futures import ThreadPoolExecutor")
    return script.attempt("loop.set_default_executor", f"ThreadPoolExecutor({max(1, count)})")


def not_an_executor(script: LoopScript, _place: Place) -> Lines:
    return script.attempt("loop.set_default_executor", "object()")


def job(script: LoopScript, _place: Place, label: str, text: str) -> Lines:
    return _submitted(script, label, f"loop.run_in_executor(None, {_work(script, label, text)})")


def process(script: LoopScript, _place: Place, label: str, text: str) -> Lines:
    script.needs("multiprocessing", "from concurrent.futures import ProcessPoolExecutor")
    pool = script.state("pool", 'pool = ProcessPoolExecutor(1, multiprocessing.get_context("fork"))')
    if text == "pid":
        script.needs("os")
    work = "os.getpid" if text == "pid" else f"int, {quoted(label)}"
    return _submitted(script, label, f"loop.run_in_executor({pool}, {work})")


def to_thread(script: LoopScript, place: Place, label: str, text: str) -> Lines:
    if not place.task:
        return []
    script.needs("asyncio")
    lines = awaiting(script, place, f"asyncio.to_thread({_work(script, label, text)})")
    if text != "error":
        return lines
    return [
        "try:",
        *(f"    {line}" for line in lines),
        "except ValueError as error:",
        "    print(repr(error))",
    ]


def _submitted(script: LoopScript, label: str, call: str) -> Lines:
    """What comes of the job is printed."""
    script.define(
        "finished",
        "def finished(name, future):",
        '    print(name, "cancelled" if future.cancelled() else future.exception() or future.result())',
    )
    script.needs("from functools import partial")
    name = script.promise(label)
    variable = name or "job"
    return [f"{variable} = {call}", f"{variable}.add_done_callback(partial(finished, {quoted(label)}))"]


def _work(script: LoopScript, label: str, text: str) -> str:
    said = quoted(label)

    def build(name: str) -> Lines:
        ends = {
            "error": [f"    raise ValueError({said})"],
            "value": [f"    print({script.variable()}.get())"],
        }.get(text, [f"    return {said}"])
        return [f"def {name}():", f'    print({said}, "begins")', *ends]

    return script.function(("work", label, text), label, build)


LINES: Table = {
    "workers": workers,
    "not_an_executor": not_an_executor,
    "job": job,
    "process": process,
    "to_thread": to_thread,
}
