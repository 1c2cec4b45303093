"""Ctrl-C and SIGTERM, both as KeyboardInterrupt."""

from __future__ import annotations

import signal
from types import FrameType

AGAIN = 0.1  # seconds


def listen() -> None:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt, but never inside an import: they wait for its end.

    `import torch` runs C++ that drops exceptions or aborts: of 220 signals at random moments of the start,
    two were lost and one ended in SIGABRT.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))


def _interrupt(_: int, frame: FrameType | None) -> None:
    if _importing(frame):
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
    else:
        raise KeyboardInterrupt


def _importing(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False
