"""A loop built on asyncio.BaseEventLoop that has no transports is not blamed for it, but for all else."""

import asyncio
import time

import pytest
from muxloop.conformance.suite import Plan, run_program


class Naps:
    """What BaseEventLoop waits by: it looks at nothing."""

    def select(self, timeout):
        time.sleep(0.001 if timeout is None else min(timeout, 0.001))
        return []


class WithoutTransports(asyncio.BaseEventLoop):
    """A loop with timers, and with nothing that reads or writes."""

    def _process_events(self, event_list):
        pass

    def _write_to_self(self):
        pass

    def __init__(self):
        super().__init__()
        self._selector = Naps()


class StumblesOverItself(asyncio.SelectorEventLoop):
    """Its transports are those of CPython, until its own code asks for what is not there."""

    def _start_serving(self, *arguments, **keywords):
        return self._begin_serving(*arguments, **keywords)


class LostItsOwn(WithoutTransports):
    """Calls a private method of its own that it does not have: a bug."""

    async def create_server(self, *arguments, **keywords):
        return self._make_server(*arguments, **keywords)


PROGRAMS = {
    "TRN-01": '[["link",0,"server"],["run"]]',
    "SRV-01": '[["serve",0,"tcp"],["run"]]',
    "DNS-01": '[["dial","literal",250,0]]',
}


def verdict_on(loop, rule):
    subject = f"{__name__}:{loop.__name__}"
    report = run_program(Plan.of([subject], [rule], seed=1), PROGRAMS[rule])
    return report.subjects[0].results[0]


@pytest.mark.parametrize("rule", PROGRAMS)
def test_what_baseeventloop_leaves_to_its_subclasses_is_not_offered(rule):
    verdict = verdict_on(WithoutTransports, rule)
    assert verdict.outcome == "not-offered", verdict.message
    assert verdict.message.startswith("NotImplementedError: ")


def test_the_message_names_what_is_missing():
    message = verdict_on(WithoutTransports, "SRV-01").message
    assert "WithoutTransports has no _start_serving(), which asyncio.BaseEventLoop calls" in message


@pytest.mark.parametrize(
    ("loop", "missing"), [(StumblesOverItself, "_begin_serving"), (LostItsOwn, "_make_server")]
)
def test_an_attribute_that_it_asked_for_itself_is_a_bug(loop, missing):
    verdict = verdict_on(loop, "SRV-01")
    assert verdict.outcome == "broken"
    assert f"has no attribute '{missing}'" in verdict.message
