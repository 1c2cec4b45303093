"""What was made of the same arrays is not made twice: the last results, by the content of their arguments."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

import numpy as np

Result = TypeVar("Result")


class Kept(Generic[Result]):
    """The last `most` results. Of threads that ask for the same one makes it and the others wait."""

    def __init__(self, most: int) -> None:
        self._most, self._lock = most, threading.Lock()
        self._results: OrderedDict[str, Future[Result]] = OrderedDict()

    def get(self, make: Callable[[], Result], *arguments: Any) -> Result:
        """What `make` gives, or gave for the same arguments: arrays, tuples of them, or what has a repr.

        Whoever asks must not change it. An error is raised to all who ask at the time, and not kept.
        """
        key = digest(arguments)
        with self._lock:
            kept = self._results.get(key)
            if kept is not None:
                self._results.move_to_end(key)
            else:
                made = self._results[key] = Future()
                if len(self._results) > self._most:
                    self._results.popitem(last=False)
        if kept is not None:
            return kept.result()
        try:
            made.set_result(make())
        except BaseException as error:
            with self._lock:
                self._results.pop(key, None)
            made.set_exception(error)
            raise
        return made.result()


def digest(value: Any) -> str:
    """A hash of all that a value holds."""
    found = hashlib.sha256()
    _add(value, found)
    return found.hexdigest()


def _add(value: Any, found: Any) -> None:
    if isinstance(value, np.ndarray):
        found.update(repr((value.shape, value.dtype.str)).encode())
        found.update(np.ascontiguousarray(value).data)
    elif isinstance(value, tuple):
        found.update(f"({len(value)}".encode())
        for each in value:
            _add(each, found)
    else:
        found.update(repr(value).encode())
