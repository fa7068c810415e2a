"""``python -m muxloop``: the same as the ``muxloop`` command."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
