"""What is measured of several metrics, side by side on the machine's cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple

from distaff.machine import usable_cores
from distaff.metrics.threads import one_thread
from distaff.scoring.measure import Measure, Numbers, Result
from distaff.scoring.reference import Reference


class Parts(NamedTuple):
    """What a card has of a metric, each in the making: its value, chance and ceiling, and its halves."""

    value: Future[Result]
    reference: Future[Reference] | None = None
    halves: Sequence[Future[Numbers | None]] = ()


@contextmanager
def side_by_side(measures: Sequence[Measure], values_only: bool) -> Iterator[list[Parts]]:
    """The parts of every metric, in their order; those that were not begun are dropped where one fails.

    A thread a core, for most of the time goes by outside Python's lock. Linear algebra has one thread in all
    of them, so that numbers do not depend on what else is measured meanwhile.
    """
    import scipy.linalg  # noqa: F401  # its library is to be there when its threads are limited

    with one_thread(), _pool() as pool:

        def parts(measure: Measure) -> Parts:
            value = pool.submit(measure.value)
            if values_only:
                return Parts(value)
            halves = [pool.submit(measure.half, number) for number in measure.halves]
            return Parts(value, pool.submit(measure.reference), halves)

        yield [parts(measure) for measure in measures]


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(usable_cores(), "score")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
