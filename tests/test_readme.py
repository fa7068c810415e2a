"""What the README tells people to paste works as it stands."""

import select
from collections import Counter

import pytest
from muxloop.conformance.rules import all_rules
from pages import blocks_of, printed_by, text_of

BLOCKS = blocks_of("README.md")


def block_with(text):
    (block,) = [block for block in BLOCKS if text in block]
    return block.replace("mypackage:new_event_loop", "asyncio:SelectorEventLoop")


def test_it_counts_the_rules_that_there_are():
    judged = Counter(rule.judges for rule in all_rules())
    counted = f"[{judged['loop']} rules for loops and {judged['selector']} for selectors]"
    assert counted in text_of("README.md")


def test_every_block_is_tested():
    assert len(BLOCKS) == 3


@pytest.mark.skipif(not hasattr(select, "poll"), reason="it chooses poll")
def test_the_code_that_runs_a_program(tmp_path):
    script = tmp_path / "program.py"
    script.write_text(block_with("muxloop.run(main())"), encoding="utf-8")
    assert printed_by(script).count("EventLoop") == 3


@pytest.mark.timeout(110)
def test_the_script_that_judges_a_loop(tmp_path):
    script = tmp_path / "judge.py"
    script.write_text(block_with("report = judge("), encoding="utf-8")
    lines = printed_by(script).splitlines()
    assert len(lines) == 18
    assert all(" held" in line for line in lines)


@pytest.mark.timeout(110)
def test_the_pytest_file_that_judges_a_loop(tmp_path):
    script = tmp_path / "test_my_loop.py"
    # One group stands for all: what is tested here is the file, not the loop.
    text = block_with("check(").replace(
        "rule_ids(required_only=True)", "[r for r in rule_ids(required_only=True) if r[:3] == 'ORD']"
    )
    script.write_text(text, encoding="utf-8")
    assert "3 passed" in printed_by(script, "-m", "pytest", "-q", "-p", "no:cacheprovider")
