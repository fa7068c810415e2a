"""Inside Tornado's suite: what its own runner, which pytest takes the place of, does about logs."""

import logging

logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
