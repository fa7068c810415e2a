"""Programs are plain data that survive JSON, and rules are pure functions of any history."""

import os
from itertools import product

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from muxloop.conformance import selector_walks
from muxloop.conformance.history import History
from muxloop.conformance.playground import Playground
from muxloop.conformance.program import as_json, parse, walk
from muxloop.conformance.rules import all_rules
from muxloop.conformance.tolerance import tolerance
from muxloop.conformance.vocabulary import LOOP_ACTIONS, SELECTOR_ACTIONS

RULES = all_rules()
VOCABULARIES = {"loop": LOOP_ACTIONS, "selector": SELECTOR_ACTIONS}
DRAWN = {"loop": (20, 100), "selector": (100, 100)}
"""Programs for each rule; few rules judge selectors, and they have to play the whole vocabulary. The second
number is for actions that the first did not bring about."""

drawing = settings(
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def by_id(rule):
    return rule.id


@pytest.mark.parametrize("rule", RULES, ids=by_id)
def test_a_program_is_the_same_after_json(rule):
    @settings(drawing, max_examples=20)
    @given(rule.programs)
    def check(program):
        assert parse(as_json(program), VOCABULARIES[rule.judges]) == program

    check()


@pytest.mark.parametrize("kind", VOCABULARIES)
def test_every_action_is_played_by_some_rule(kind):
    # Windows watches no pipes, and does not list open files.
    lacking = set(VOCABULARIES[kind]) - (set() if os.name == "posix" else {"pipe", "another"})
    for examples, rule in product(DRAWN[kind], RULES):
        if rule.judges == kind and lacking:

            @settings(drawing, max_examples=examples)
            @given(rule.programs)
            def collect(program):
                lacking.difference_update(action[0] for action in walk(program))

            collect()
    assert lacking == set()


def test_no_number_is_given_away_where_it_cannot_be(monkeypatch):
    monkeypatch.setattr(selector_walks, "NUMBERS_CAN_BE_CHOSEN", False)

    @settings(drawing, max_examples=200)
    @given(selector_walks.ends())
    def check(program):
        assert "reuse" not in {action[0] for action in walk(program)}

    check()


@pytest.mark.parametrize("rule", RULES, ids=by_id)
def test_a_history_without_events_gives_no_error(rule):
    list(rule.check(History(())))


@pytest.mark.parametrize(("kind", "subject"), [("loop", "asyncio"), ("selector", "selector:select")])
def test_rules_judge_programs_of_other_rules_too(kind, subject):
    own = [rule for rule in RULES if rule.judges == kind]
    with Playground(subject, tolerance()) as playground:
        for rule in own:

            @settings(drawing, max_examples=2)
            @given(rule.programs)
            def judge_by_all(program):
                history = playground.play(program)
                assert history.outcome == "completed"
                for other in own:
                    first, second = list(other.check(history)), list(other.check(history))
                    assert first == second

            judge_by_all()
