"""gevent's hub on muxloop's selectors and timers.

    GEVENT_LOOP=muxloop.integrations.gevent.Loop MUXLOOP_BACKEND=poll python program.py

or ``gevent.config.loop = "muxloop.integrations.gevent.Loop"`` before the first hub is made. What gevent wants
of a loop is written down in ``gevent/_interfaces.py``; where that is silent, libev's behaviour is the model.

While gevent is imported it imports this package: so nothing here imports more of gevent, at the top of a
module, than what stands on its own.
"""

from .loop import Loop

__all__ = ["Loop"]
