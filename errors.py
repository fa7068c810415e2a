"""The errors muxloop raises on bad input; the lowest floor, imported by all, importing nothing of ours.

Each message is one line that names the actor, the state and the remedy.
The command line prints the line and exits with code 2.
"""

from __future__ import annotations


class MuxloopError(Exception):
    """Base class of every error that is muxloop's own."""


class BackendUnavailableError(MuxloopError, RuntimeError):
    """A backend was asked for by name and cannot be had; says why, and what can."""


class SelectorClosedError(MuxloopError, RuntimeError, KeyError):
    """A selector was used after ``close()``.

    It is a ``RuntimeError`` (as ``selectors.BaseSelector.get_key`` raises on a closed selector) and
    a ``KeyError`` (as ``unregister`` raises), so code written for either keeps working.
    """

    __str__ = Exception.__str__  # KeyError would print the repr


class UsageError(MuxloopError, ValueError):
    """A command, option, subject, rule name or report path that cannot be used as given."""


class SubjectError(UsageError):
    """A subject under test cannot be found or built."""


class SuiteFailedError(MuxloopError):
    """The conformance suite itself went wrong, not the subject it judges."""
