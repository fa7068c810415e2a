"""A selector in a forked child: of use there, and no harm to the parent's (SEL-10, eventlet 68, libev)."""

from __future__ import annotations

import os
import select
from selectors import EVENT_READ, EVENT_WRITE

import pytest
from forked_children import in_child
from selectors_under_test import every_backend, ready

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

BOTH = EVENT_READ | EVENT_WRITE
LONG_S = 60  # a wait that something ends early; the test's own time limit is the judge


@every_backend
class TestFork:
    @pytest.fixture(autouse=True)
    def registered(self, selector, numbers):
        self.ours, self.theirs = numbers.pair()
        self.file = os.open(os.devnull, os.O_RDONLY)
        selector.register(self.ours, EVENT_READ, "parent's")
        yield
        os.close(self.file)

    @pytest.fixture(params=["unregister", "modify", "close", "register", "select"])
    def in_the_child(self, request, selector):
        def play() -> None:
            if request.param == "unregister":
                selector.unregister(self.ours)
            elif request.param == "modify":
                selector.modify(self.ours, EVENT_WRITE)
                assert ready(selector) == {self.ours: EVENT_WRITE}
            elif request.param == "register":
                selector.register(self.theirs, BOTH)
                assert ready(selector) == {self.theirs: EVENT_WRITE}
            elif request.param == "select":
                os.write(self.theirs, b"y")
                assert ready(selector, LONG_S) == {self.ours: EVENT_READ}
                os.read(self.ours, 1)
            selector.close()

        return play

    def test_the_child_does_not_disturb_the_parent(self, selector, in_the_child):
        assert in_child(in_the_child) == 0
        assert ready(selector) == {}
        os.write(self.theirs, b"x")
        assert ready(selector, LONG_S) == {self.ours: EVENT_READ}

    def test_the_child_goes_on_with_what_was_registered(self, selector):
        selector.register(self.file, EVENT_READ)

        def play() -> None:
            os.write(self.theirs, b"x")
            assert ready(selector, LONG_S) == {self.ours: EVENT_READ, self.file: EVENT_READ}
            assert selector.get_key(self.ours).data == "parent's"

        assert in_child(play) == 0

    def test_a_grandchild_too(self, selector):
        def play() -> None:
            assert in_child(lambda: selector.unregister(self.ours)) == 0
            os.write(self.theirs, b"x")
            assert ready(selector, LONG_S) == {self.ours: EVENT_READ}

        assert in_child(play) == 0

    def test_what_the_child_closed_before_its_first_use_is_dropped(self, selector):
        def play() -> None:
            os.close(self.ours)
            assert ready(selector, None) == {}
            assert [key.fd for key in selector.take_dropped()] == [self.ours]

        assert in_child(play) == 0

    def test_closing_in_the_child_closes_no_other_file(self, selector):
        """A queue's number is free in the child of a kqueue user, and Python before 3.13 would close it."""

        def play() -> None:
            opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
            ready(selector)
            selector.close()
            for fd in opened:
                os.fstat(fd)

        def play_at_once() -> None:
            opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(10)]
            selector.close()
            for fd in opened:
                os.fstat(fd)

        assert in_child(play) == in_child(play_at_once) == 0

    def test_its_own_number_follows(self, selector):
        if not hasattr(selector, "fileno"):
            pytest.skip(f"{selector.name} has no descriptor of its own")

        def play() -> None:
            os.write(self.theirs, b"x")
            assert select.select([selector.fileno()], [], [], LONG_S)[0] == [selector.fileno()]

        assert in_child(play) == 0
        assert select.select([selector.fileno()], [], [], LONG_S)[0] == [selector.fileno()]
