"""Interchangeable I/O multiplexers, one asyncio event loop on top, and a suite that judges every loop."""

__version__ = "0.1.0"
