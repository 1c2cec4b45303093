"""Progress for a person: a bar on a terminal, a plain line now and then elsewhere. Always on stderr."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

SECONDS_BETWEEN_LINES = 20.0


class Report(Protocol):
    """Called with how much is done and a few words on how it goes."""

    def __call__(self, done: int, words: str = "") -> None: ...


def say(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr, flush=True)


@contextmanager
def progress(task: str, total: int, start: int = 0, show: bool = True) -> Iterator[Report]:
    """A way to report on `total` pieces of work, of which `start` are done."""
    if not show:
        yield lambda done, words="": None
    elif sys.stderr.isatty():
        yield from _bar(task, total, start)
    else:
        yield _lines(task, total, start)


def _bar(task: str, total: int, start: int) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=Console(stderr=True)) as bar:
        handle = bar.add_task(task, total=total, completed=start, words="")
        yield lambda done, words="": bar.update(handle, completed=done, words=words)


def _lines(task: str, total: int, start: int) -> Report:
    began = last = time.monotonic()

    def report(done: int, words: str = "") -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < SECONDS_BETWEEN_LINES and done < total:
            return
        last = now
        left = (now - began) / max(1, done - start) * (total - done)
        say(f"{task} {done}/{total}  {words}" + (f"  {_clock(left)} left" if done < total else ""))

    return report


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes}:{seconds:02d}" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
