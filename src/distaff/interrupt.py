"""Ctrl-C and SIGTERM: both as KeyboardInterrupt, or kept waiting."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN = 0.1  # seconds


def listen() -> None:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt, but never inside an import: they wait for its end.

    `import torch` runs C++ that drops exceptions or aborts: of 220 signals at random moments of the start,
    two were lost and one ended in SIGABRT.
    """
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))


def _interrupt(_: int, frame: FrameType | None) -> None:
    while frame:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


@contextmanager
def heard() -> Iterator[list[int]]:
    """Keep Ctrl-C and SIGTERM from interrupting the block; the list is of those that came meanwhile."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in SIGNALS}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def unbroken() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block has ended, so that a write that was begun is finished."""
    came: list[int] = []
    try:
        with heard() as came:
            yield
    finally:
        if came:
            signal.raise_signal(came[0])
