"""How many threads linear algebra uses."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread within this context, entered after scikit-learn is imported.

    On matrices as small as codes, threads wait for each other: a logistic regression of 10,000 rows and 40
    values took .27 s on one thread and 2 s on two.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, user_api="blas")
