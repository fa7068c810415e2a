"""Whether Windows is played by Wine, which some tests find wanting where Windows is not."""

from __future__ import annotations

import ctypes
import sys

ON_WINE = sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll"), "wine_get_version")
