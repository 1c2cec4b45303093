"""Metrics side by side give what each gives alone, and stop together."""

import threading
import warnings

import numpy as np
import pytest

import distaff
from distaff import registry
from distaff.errors import BadInput
from distaff.metrics.threads import quiet
from distaff.scoring import side_by_side as under_test
from distaff.scoring.door import admit
from distaff.scoring.measure import Measure
from distaff.scoring.side_by_side import side_by_side

METRICS = ["mig", "dci", "sap", "explicitness", "beta_vae_score", "linear_r2"]


@pytest.fixture
def four_threads(monkeypatch):
    monkeypatch.setattr(under_test, "usable_cores", lambda: 4)


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    factors = rng.integers((3, 4, 2), size=(300, 3))
    return factors + 0.3 * rng.standard_normal((300, 3)), factors


def test_a_card_has_the_numbers_of_each_metric_alone(four_threads, case):
    card = distaff.score(*case, metrics=METRICS, seed=3)
    inputs = admit(*case).inputs
    for name in METRICS:
        alone = Measure(registry.get("metrics", name), inputs, 3)
        halves = [half for half in map(alone.half, alone.halves) if half]
        chance, ceiling = vars(alone.chance_and_ceiling()).values()
        for key, value in alone.value().numbers.items():
            found = card[key]
            assert found.value == value
            assert (found.chance, found.ceiling) == (chance[key], ceiling[key])
            spread = np.std([half[key] for half in halves], ddof=1)
            widest = max(found.high - value, value - found.low)  # one end may have met the end of the range
            assert widest == 0 if spread == 0 else widest > spread


def test_scores_come_in_the_order_asked_for(four_threads, case):
    told = []
    card = distaff.score(*case, metrics=METRICS, report=lambda done, words: told.append((done, words)))
    assert told == [*enumerate(METRICS), (len(METRICS), "")]
    assert list(dict.fromkeys(name.partition(".")[0] for name in card.scores)) == METRICS


class Counted:
    """Stands for a measure of a hundred halves, of which it counts those that were begun."""

    halves = range(100)

    def __init__(self) -> None:
        self.begun, self.go = 0, threading.Event()

    def value(self):
        raise BadInput("no")

    def reference(self):
        raise BadInput("no")

    def half(self, number):
        self.begun += 1
        self.go.wait(5)


def test_what_was_not_begun_is_dropped_where_one_fails(four_threads):
    counted = Counted()
    threading.Timer(0.2, counted.go.set).start()
    with pytest.raises(BadInput), side_by_side([counted], values_only=False) as (parts,):
        parts.value.result()
    assert counted.begun <= 4


def test_values_alone_are_all_that_is_measured(four_threads):
    counted = Counted()
    with side_by_side([counted], values_only=True) as (parts,):
        assert parts.reference is None
        assert not parts.halves
        assert isinstance(parts.value.exception(), BadInput)
    assert counted.begun == 0


def test_warnings_are_quiet_until_the_last_of_several_blocks_ends():
    """The blocks of two threads overlap, and the first to begin is the first to end."""
    from sklearn.exceptions import ConvergenceWarning

    before, first_is_in, second_is_in = list(warnings.filters), threading.Event(), threading.Event()
    first_is_out = threading.Event()

    def first():
        with quiet():
            first_is_in.set()
            second_is_in.wait(5)
        first_is_out.set()

    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        thread = threading.Thread(target=first)
        thread.start()
        first_is_in.wait(5)
        with quiet():
            second_is_in.set()
            first_is_out.wait(5)
            warnings.warn("slowly", ConvergenceWarning, stacklevel=1)
        thread.join()
        assert not heard
        warnings.warn("slowly", ConvergenceWarning, stacklevel=1)
    assert len(heard) == 1
    assert list(warnings.filters) == before
