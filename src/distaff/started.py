"""Processes that threads start and wait for, while the caller may ask them to end at any moment."""

import contextlib
import queue
import subprocess
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

ASK_AGAIN = 10.0  # seconds after which what has not ended is asked once more
TURN = 1.0  # seconds
Item = TypeVar("Item")


class Started:
    """A process that ends when it is asked to, and at once where it was asked to before it was there.

    Ctrl-C does not reach it: the caller gets it, and asks.
    """

    def __init__(self) -> None:
        self.process: subprocess.Popen[Any] | None = None
        self._stopped = False

    def start(self, words: Sequence[str], **how: Any) -> subprocess.Popen[Any]:
        """Start the process anew; `how` is as of `subprocess.Popen`."""
        self.process = process = subprocess.Popen(words, start_new_session=True, **how)
        if self._stopped:  # while it was being started
            process.terminate()
        return process

    def stop(self) -> None:
        """Ask the process to end, and any that is started from now on."""
        self._stopped = True
        if (process := self.process) is not None:
            process.terminate()  # nothing where it has ended


def end(processes: Iterable[Started], waiting: Iterable[Future[Any]]) -> None:
    """Ask processes to end until no thread waits for one any more; a process may miss the first time.

    What waits for its turn yet is to be cancelled before.
    """
    begun = [each for each in waiting if not each.cancelled()]
    while True:
        for each in processes:
            each.stop()
        if not wait(begun, timeout=ASK_AGAIN).not_done:
            return


def first(of: queue.SimpleQueue[Item]) -> Item:
    """The first of a queue; the wait is in turns, for Python may miss a signal that comes as one begins."""
    while True:
        with contextlib.suppress(queue.Empty):
            return of.get(timeout=TURN)
