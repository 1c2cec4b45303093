"""What learners say is learned once for all metrics that ask, and is what each would have learned itself."""

import threading
import time
from functools import partial
from typing import Any

import numpy as np
import pytest

from distaff import metrics
from distaff.metrics import learned as module
from distaff.metrics.held_out import Rows, learn_and_score
from distaff.metrics.kept import Kept, digest
from distaff.metrics.learned import learned
from distaff.metrics.learners import fit, importances


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The learners of the fits, of which none are known at the start."""
    made: list[str] = []

    def counted(name: str, *arguments: Any, **options: Any) -> Any:
        made.append(name)
        return fit(name, *arguments, **options)

    monkeypatch.setattr(module, "fit", counted)
    monkeypatch.setattr(module, "_known", Kept(module.KEPT))
    return made


def made_up(rows: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(rows, 2))
    return factors + 0.7 * rng.normal(size=(rows, 2)), factors


def test_what_is_learned_is_what_a_model_of_each_factor_says() -> None:
    learn, score = learn_and_score(*made_up(), None, 0)
    found = learned("random_forest", learn, score, 3)
    for j, factor in enumerate(learn.factors.T):
        model = fit("random_forest", learn.codes, factor, 3)
        np.testing.assert_array_equal(found.predicted[j], model.predict(score.codes))
        np.testing.assert_array_equal(found.importances[:, j], importances(model))


def test_metrics_that_ask_for_the_same_share_it(fits: list[str]) -> None:
    codes, factors = made_up()
    alone = metrics.dci(codes, factors, learner="gradient_boosting")
    assert fits == ["gradient_boosting"] * 2
    told = metrics.fairness(codes, factors, learner="gradient_boosting")
    again = metrics.dci(codes, factors, learner="gradient_boosting")
    matrix = metrics.importance_matrix(codes, factors, learner="gradient_boosting")
    assert len(fits) == 2
    assert again == alone
    matrix[:] = 0  # a copy: what is kept is as it was
    assert metrics.dci(codes, factors, learner="gradient_boosting") == alone
    metrics.fairness(codes, factors, learner="gradient_boosting", seed=1)
    metrics.dci(codes + 1e-9, factors, learner="gradient_boosting")
    assert len(fits) == 6
    module._known = Kept(module.KEPT)
    assert metrics.fairness(codes, factors, learner="gradient_boosting") == told


def test_accuracy_with_all_labels_is_of_what_dci_learns_from(fits: list[str]) -> None:
    codes, factors = made_up(1500)
    found = metrics.downstream(codes, factors, learners="gradient_boosting", sizes=(1000,))
    informativeness = metrics.dci(codes, factors, learner="gradient_boosting").informativeness
    assert len(fits) == 2
    assert found.gbt1000 == pytest.approx(informativeness)


def test_threads_that_ask_at_once_wait_for_one() -> None:
    kept, made, found = Kept[int](2), [], []

    def slow() -> int:
        time.sleep(0.2)
        made.append(1)
        return 7

    threads = [threading.Thread(target=lambda: found.append(kept.get(slow, "same"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, made) == ([7] * 4, [1])


def test_an_error_is_not_kept_and_the_oldest_is_let_go() -> None:
    kept = Kept[int](2)

    def wrong() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        kept.get(wrong, "a")
    assert [kept.get(partial(int, n), "abc"[n]) for n in range(3)] == [0, 1, 2]
    assert kept.get(lambda: 9, "b") == 1
    assert kept.get(lambda: 9, "a") == 9
    assert kept.get(lambda: 8, "c") == 8  # "b" was asked for since


def test_a_digest_is_of_all_that_there_is() -> None:
    a = np.arange(6.0)
    same = [Rows(a, a), Rows(a.copy(), a[::-1][::-1])]
    assert digest(same[0]) == digest(same[1])
    others = [
        Rows(a, a + 1),
        Rows(a.reshape(2, 3), a),
        Rows(a.astype(np.float32), a),
        a[:0],
        a[:0].reshape(0, 3),
        a[::2],
        (a,),
        ((a, a),),
        "a",
        0,
    ]
    assert len({digest(each) for each in (same[0], *others)}) == len(others) + 1
