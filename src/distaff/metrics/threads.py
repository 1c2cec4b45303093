"""How fits run: on one thread each, and without warnings about what is known."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread within this context, entered after scikit-learn is imported.

    On matrices as small as codes, threads wait for each other: a logistic regression of 10,000 rows and 40
    values took .27 s on one thread and 2 s on two.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


@contextmanager
def quiet() -> Iterator[None]:
    """Without scikit-learn's warnings that a fit converges slowly or a factor has nearly unique values."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        yield
