"""EXE: jobs in pools of threads and processes."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st

from ..history import History
from ..strategies import STEP, action, programs, several, soon
from .queries import runs_ended
from .rule import Finding, rule

_JOB_KINDS = st.sampled_from(["result", "error"])
_THREAD_KINDS = st.sampled_from(["result", "error", "value"])


@rule(
    "EXE-01",
    "R",
    "run_in_executor() passes on what a job returns or raises, to_thread() the context to it as well; "
    "the default executor is a ThreadPoolExecutor",
    source="asyncio-eventloop docs, loop.run_in_executor, loop.set_default_executor; asyncio-task docs, "
    "asyncio.to_thread",
    programs=programs(
        several(st.sampled_from([("workers", 1), ("workers", 3), ("not_an_executor",)]), 0, 2),
        several(action("job", None, _JOB_KINDS), 0, 3),
        several(
            action(
                "task",
                "t0",
                several(
                    st.one_of(
                        STEP,
                        action("to_thread", None, _THREAD_KINDS),
                        action("to_thread", None, _THREAD_KINDS),
                        action("setvar", st.integers(1, 9)),
                    ),
                    1,
                    4,
                ),
            ),
            0,
            1,
        ),
        several(soon(several(action("job", None, _JOB_KINDS), 1, 2)), 0, 2),
        ("run",),
    ),
)
def jobs_report(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from _outcomes(history)
    for event in history.of("default-executor"):
        if event.label == "object" and event["error"] is None:
            yield Finding("set_default_executor() of what is no executor raises TypeError", "it was accepted")
        elif event.label == "ThreadPoolExecutor" and event["error"]:
            yield Finding("set_default_executor() takes a ThreadPoolExecutor", f"it raised {event['error']}")


def _outcomes(history: History) -> Iterator[Finding]:
    for job in history.of("job"):
        done = history.of("job-done", label=job.label)
        cancelled = any(e["said"] for e in history.of("future-cancelled", label=job.label))
        if len(done) != 1:
            if not cancelled and not history.of("cancel-requested"):
                yield Finding(f"{job.label} is done once", f"{len(done)} times")
            continue
        expected = {
            "result": f"result {job.label!r}",
            "value": f"result {job.get('value')!r}",
        }.get(job["asks"], "")
        told = done[0]["outcome"]
        right = told.startswith("ValueError") if job["asks"] == "error" else told == expected
        if job["asks"] == "pid":
            right = told.startswith("result ") and told != f"result {job['here']}"
        if not right and not cancelled:
            wanted = {"error": "a ValueError", "pid": "the number of another process"}
            yield Finding(f"{job.label} brings {wanted.get(job['asks'], expected)}", f"it brought {told}")


@rule(
    "EXE-02",
    "R",
    "run_in_executor() takes a pool of processes, whose results and exceptions come back",
    source="asyncio-eventloop docs, loop.run_in_executor",
    programs=programs(
        several(action("process", None, st.sampled_from(["pid", "pid", "error"])), 1, 3), ("run",)
    ),
    cost=15,
    needs="fork",
)
def processes_report(history: History) -> Iterator[Finding]:
    yield from runs_ended(history)
    yield from _outcomes(history)
