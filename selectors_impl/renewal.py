"""CPython's epoll selector, replaced when nobody can be rid of an entry in its set.

An entry of epoll(7) outlives its number when that is closed while the open file has a duplicate. It then
fires for ever, under a number that ``epoll_ctl`` can no longer address. Our own selector builds its set anew
(``epoll.py``); CPython's has no such thing, and every wait ends at once with nothing. So whoever sees
that puts a new selector in its place.
"""

from __future__ import annotations

import selectors
from contextlib import suppress

from .validator import ValidatingSelector


def renewed(selector: selectors.BaseSelector) -> selectors.BaseSelector | None:
    """A new selector with the registrations of *selector*, which is closed; None where that does not help.

    Only for ``selectors.EpollSelector`` itself: what a subclass adds could not be taken along. What is no
    longer open is left behind. None also when no descriptor can be had. A validator goes around the new one.
    """
    if isinstance(selector, ValidatingSelector):
        return selector if selector.renew(renewed) else None
    if type(selector) is not getattr(selectors, "EpollSelector", None):
        return None
    try:
        fresh = type(selector)()
    except OSError:
        return None
    for key in list(selector.get_map().values()):
        with suppress(ValueError, OSError):
            fresh.register(key.fileobj, key.events, key.data)
    selector.close()
    return fresh
