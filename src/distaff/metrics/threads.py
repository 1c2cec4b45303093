"""How fits run: on how many threads, and without warnings about what is known."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread within this context, entered after scikit-learn is imported.

    On matrices as small as codes, threads wait for each other: a logistic regression of 10,000 rows and 40
    values took .27 s on one thread and 2 s on two.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")


def usable_cores() -> int:
    """The cores this process may run on, or OMP_NUM_THREADS where that is set, as in one of many workers."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)  # not on every system
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def quiet() -> Iterator[None]:
    """Without scikit-learn's warnings that a fit converges slowly or a factor has nearly unique values."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        yield
