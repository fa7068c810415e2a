"""CPython's own tests of ``selectors``, bound to each of our backends."""

from __future__ import annotations

import sys
import unittest
import unittest.mock

import pytest
from muxloop.selectors_impl import Selector
from selectors_under_test import CLASSES

try:
    from test import test_selectors as cpython
except (ImportError, unittest.SkipTest) as error:  # distributions ship Python without its tests
    pytest.skip(f"CPython's test package cannot be used: {error}", allow_module_level=True)

if not hasattr(cpython, "BaseSelectorTestCase"):
    pytest.skip(f"{cpython.__file__} is not CPython's own", allow_module_level=True)


class _Bound(cpython.BaseSelectorTestCase):
    """The base case, but for the one test that demands what we do otherwise on purpose."""

    SELECTOR: type[Selector]

    def setUp(self) -> None:
        reason = self.SELECTOR.probe()
        if reason is not None:
            self.skipTest(f"{self.SELECTOR.name}: {reason}")

    def test_modify_unregister(self) -> None:
        """Theirs patches a private class and wants a failed modify to lose the file; ours keeps it."""
        selector = self.SELECTOR()
        self.addCleanup(selector.close)
        rd, _ = self.make_socketpair()
        key = selector.register(rd, cpython.selectors.EVENT_READ)
        with (
            unittest.mock.patch.object(selector, "_change", side_effect=ZeroDivisionError),
            pytest.raises(ZeroDivisionError),
        ):
            selector.modify(rd, cpython.selectors.EVENT_WRITE)
        assert selector.get_key(rd) is key


class _Scalable(_Bound, cpython.ScalableSelectorMixIn):
    pass


class TestSelect(_Bound, unittest.TestCase):
    SELECTOR = CLASSES["select"]


class TestPoll(_Scalable, unittest.TestCase):
    SELECTOR = CLASSES["poll"]


class TestEpoll(_Scalable, unittest.TestCase):
    SELECTOR = CLASSES["epoll"]


class TestKqueue(_Scalable, unittest.TestCase):
    SELECTOR = CLASSES["kqueue-emulated" if sys.platform.startswith("linux") else "kqueue"]

    test_register_bad_fd = cpython.KqueueSelectorTestCase.test_register_bad_fd
    test_empty_select_timeout = cpython.KqueueSelectorTestCase.test_empty_select_timeout
