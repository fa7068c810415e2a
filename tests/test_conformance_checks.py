"""Rules on hand-made histories, where a subtle point decides."""

from dataclasses import replace

import pytest
from muxloop.conformance.history import Event, History
from muxloop.conformance.rules import all_rules
from muxloop.conformance.rules.queries import deadline_order, each_once, generation, in_order

RULES = {rule.id: rule for rule in all_rules()}


class Story:
    """A history told event by event; what a test does not care for gets a harmless value."""

    def __init__(self, clock=100.0):
        self.clock = clock
        self.events = []

    def tell(self, kind, label="", lane="main", **data):
        self.events.append(Event(len(self.events), len(self.events) / 1000, lane, kind, label, data))
        return self

    def at(self, label, deadline, armed=None):
        """A call_at, made when the loop's clock said ``armed``."""
        now = self.clock if armed is None else armed
        return self.tell(
            "called",
            label,
            via="at",
            within="",
            delay=deadline - self.clock,
            deadline=deadline,
            loop_before=now,
            loop_after=now,
        )

    def later(self, label, delay, before, after):
        """A call_later, while which the loop's clock went from ``before`` to ``after``."""
        return self.tell(
            "called", label, via="later", within="", delay=delay, loop_before=before, loop_after=after
        )

    def soon(self, label, within=""):
        return self.tell("called", label, via="soon", within=within)

    def run(self, *labels):
        for label in labels:
            self.tell("begin", label, "loop")
        return self

    @property
    def history(self):
        return History((), tuple(self.events))


def findings(check):
    return [(finding.expected, finding.seen) for finding in check]


def test_timers_in_order_are_well():
    story = Story().at("a", 100.01).at("b", 100.02).run("a", "b")
    assert findings(deadline_order(story.history)) == []


def test_a_late_deadline_that_fires_first_is_found_also_past_one_between():
    story = Story().at("a", 100.03).at("b", 100.04).at("c", 100.01).run("a", "b", "c")
    ((expected, seen),) = findings(deadline_order(story.history))
    assert expected.startswith("c before b: it is due at least 30.000 ms earlier")
    assert seen == "b ran first"


def test_deadlines_that_were_past_when_armed_have_no_order():
    story = Story().at("a", 100.03).at("b", 100.01, armed=100.02).run("a", "b")
    assert findings(deadline_order(story.history)) == []


def test_a_timer_armed_after_the_other_was_due_is_not_compared_with_it():
    story = Story().at("a", 100.05).run("a").at("b", 100.04, armed=100.06).run("b")
    assert findings(deadline_order(story.history)) == []


@pytest.mark.parametrize(("clock_after", "found"), [(100.005, 0), (100.0001, 1)])
def test_call_later_knows_its_deadline_only_as_well_as_the_clock_was_read(clock_after, found):
    # a is due between 10 ms after the first reading and 10 ms after the second one, b at 12 ms.
    story = Story().at("b", 100.012).later("a", 0.01, 100.0, clock_after).run("b", "a")
    assert len(findings(deadline_order(story.history))) == found


def test_differences_below_the_asked_for_pass():
    story = Story().at("a", 100.011).at("b", 100.01).run("a", "b")
    assert findings(deadline_order(story.history, 0.002)) == []
    assert len(findings(deadline_order(story.history))) == 1


@pytest.mark.parametrize(("resolution", "found"), [(1e-9, 1), (0.005, 1), (0.015625, 0)])
def test_what_is_due_within_a_resolution_of_the_clock_may_have_begun_already(resolution, found):
    story = Story().at("a", 100.05).at("b", 100.01).run("a", "b")
    history = replace(story.history, resolution=resolution)
    assert len(findings(deadline_order(history))) == found


@pytest.mark.parametrize(("runs", "seen"), [(0, "it never ran"), (1, None), (3, "it ran 3 times")])
def test_each_once(runs, seen):
    story = Story().soon("a").run(*["a"] * runs)
    told = findings(each_once(story.history, story.history.scheduled()))
    assert told == ([("a runs once", seen)] if seen else [])


def test_in_order_tells_the_whole_order_once():
    story = Story().soon("a").soon("b").soon("c").run("c", "b", "a")
    told = findings(in_order(story.history, story.history.scheduled(), "so it is"))
    assert told == [("a before b: so it is", "they ran in the order c, b, a")]


def test_what_never_ran_has_no_place_in_the_order():
    story = Story().soon("a").soon("b").soon("c").run("a", "c")
    assert findings(in_order(story.history, story.history.scheduled(), "")) == []


def test_generations_are_counted_through_the_callbacks_that_schedule():
    story = Story().soon("a").soon("b", within="a").soon("c", within="b")
    assert [generation(story.history, label) for label in "abc"] == [0, 1, 2]
    assert generation(story.history, "nobody's") == 0


def stopping(*order):
    """a stops the loop and schedules b; c was queued beside a."""
    story = Story().soon("a").soon("c").tell("run").run("a")
    story.soon("b", within="a").tell("stop", within="a", lane="loop")
    for label in order:
        story.tell("run") if label == "|" else story.run(label)
    return story.history


@pytest.mark.parametrize(
    ("order", "blamed"),
    [("c|b", []), ("cb|", ["b runs in run 2"]), ("|cb", ["c runs in run 1"]), ("c|", ["b runs in run 2"])],
)
def test_stop_lets_its_own_batch_finish_and_no_other(order, blamed):
    told = findings(RULES["LIF-02"].check(stopping(*order)))
    assert [expected.partition(":")[0] for expected, _ in told] == blamed


def test_a_finding_of_a_strange_delay_is_not_about_fine_order():
    story = Story().later("a", 0.0022, 100.0, 100.0).later("b", 0.0001, 100.0, 100.0).run("a", "b")
    assert findings(RULES["TMR-09"].check(story.history)) == []
    story = Story().later("n", float("nan"), 100.0, 100.0).run("n")
    told = findings(RULES["TMR-09"].check(story.history))
    assert told == [("n with a delay of nan s never runs", "it ran")]
