"""How fits run: on one thread each, and without warnings about what is known."""

import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from threading import Lock


def one_thread() -> AbstractContextManager[object]:
    """Linear algebra on one thread within this context, entered after scikit-learn is imported.

    On matrices as small as codes, threads wait for each other: a logistic regression of 10,000 rows and 40
    values took .27 s on one thread and 2 s on two.
    """
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


_inside = 0  # threads and blocks that want quiet now
_filters = ExitStack()
_lock = Lock()


@contextmanager
def quiet() -> Iterator[None]:
    """Without scikit-learn's warnings of what is known, such as that a fit converges slowly.

    Python's filters are those of all threads: they are set as the first block of any thread begins, and as
    they were when the last has ended.
    """
    global _inside
    with _lock:
        if not _inside:
            _filters.enter_context(_without_warnings())
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside:
                _filters.close()


@contextmanager
def _without_warnings() -> Iterator[None]:
    from scipy.linalg import LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        warnings.filterwarnings("ignore", "Line Search failed", UserWarning)
        warnings.simplefilter("ignore", LinAlgWarning)  # of Newton's matrix: another solver takes over
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
        warnings.filterwarnings("ignore", "Some inputs do not have OOB scores", UserWarning)
        warnings.filterwarnings("ignore", "The (default value|fitted attributes)", FutureWarning)
        yield
