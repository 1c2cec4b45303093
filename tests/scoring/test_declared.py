"""A metric of somebody else's says of itself all that the card, the checks and the studies know of ours."""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import distaff
from distaff import registry
from distaff.errors import BadInput, NotApplicable
from distaff.metrics import needs
from distaff.metrics.declare import Sizes, metric, truths
from distaff.metrics.mcc import absolute_correlation
from distaff.studies.metric_roles import disentanglement
from distaff.testing import check_metric

RNG = np.random.default_rng(0)
FACTORS = RNG.integers(4, size=(400, 2))
CODES = FACTORS + 0.5 * RNG.standard_normal((400, 2))
WEIGHTS = RNG.integers(1, 3, size=400)


@metric(
    source="made up",
    needs=("factors", "weights"),
    least_codes=2,
    truth=truths((0.9, 1), (0.3, 0.6), (0, 0), (0.9, 1), (0, 0.05), (0.7, 0.8)),
    worse_with=frozenset({"noise"}),
    protocols={"mine": Sizes(300)},
    blind=("weighted",),
    headline={"weighted": 2},
)
def weighted(codes: np.ndarray, factors: np.ndarray, weights: np.ndarray) -> float:
    """The mean largest correlation, every row as often as its weight says."""
    rows = np.repeat(np.arange(len(codes)), weights[:, 0].astype(int))
    return float(absolute_correlation(codes[rows], factors[rows], "pearson").max(axis=0).mean())


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    need = needs.Need(
        "it needs the weights of rows (weights)",
        of_noise=lambda value, codes, rng: value,
        of_ideal=lambda value, codes, given: value,
        example=lambda codes, factors, seed: np.ones((len(codes), 1)),
    )
    monkeypatch.setitem(needs.NEEDS, "weights", need)
    monkeypatch.setitem(sys.modules, "made_up", SimpleNamespace(weighted=weighted))  # type: ignore[misc]
    monkeypatch.setitem(registry.TABLES["metrics"], "weighted", "made_up:weighted")


def test_a_need_of_its_own() -> None:
    check_metric(weighted, rows=2000)
    assert distaff.score(CODES, FACTORS, metrics="weighted")["weighted"].reason == (
        "not applicable: it needs the weights of rows (weights)"
    )
    card = distaff.score(CODES, FACTORS, weights=WEIGHTS, metrics=["weighted", "mig"])
    assert card["weighted"].value == weighted(CODES, FACTORS, WEIGHTS)
    assert card["weighted"].low < card["weighted"].value < card["weighted"].high
    assert card["weighted"].chance < 0.2
    assert card["weighted"].ceiling == pytest.approx(1)
    assert "weighted" in distaff.score(CODES, FACTORS, weights=WEIGHTS, values_only=True)
    with pytest.raises(BadInput, match="codes have 400 rows and weights 399"):
        distaff.score(CODES, FACTORS, weights=WEIGHTS[1:])
    with pytest.raises(TypeError, match="unexpected keyword argument 'weight'"):
        distaff.score(CODES, FACTORS, weight=WEIGHTS)  # type: ignore[call-arg]


def test_what_else_it_declares() -> None:
    given: dict[str, Any] = {"weights": WEIGHTS, "metrics": ["weighted"], "values_only": True}
    with pytest.raises(BadInput, match=r"unknown protocol 'yours'.* locatello2019, mine"):
        distaff.score(CODES, FACTORS, **given, protocol="yours")
    rows = np.random.default_rng([0, 1]).permutation(400)[:300]
    card = distaff.score(CODES, FACTORS, **given, protocol="mine")
    assert card["weighted"].value == weighted(CODES[rows], FACTORS[rows], WEIGHTS[rows])
    assert disentanglement(["weighted", "beta_vae_score", "mig", "irs"]) == [
        "beta_vae_score",
        "weighted",
        "mig",
    ]
    with pytest.raises(NotApplicable, match="weighted needs at least 2 codes, got 1"):
        weighted(CODES[:, 0], FACTORS, WEIGHTS)


def test_arguments_have_names() -> None:
    def nameless(z: np.ndarray, factors: np.ndarray) -> float:
        return 0.0

    with pytest.raises(TypeError, match="nameless must take arguments of these names: codes"):
        metric(source="made up")(nameless)


def test_arrays_are_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many halves, draws of noise and metrics there are."""
    counts = {"check_codes": 0, "check_factors": 0}
    for name in counts:
        real = getattr(needs, name)

        def counted(*args: Any, name: str = name, real: Any = real) -> Any:
            counts[name] += 1
            return real(*args)

        monkeypatch.setattr(needs, name, counted)
    distaff.score(CODES, FACTORS, metrics=["mig", "modularity", "sap", "irs"])
    assert counts == {
        "check_codes": 1,
        "check_factors": 0,
    }  # factors are numbered there
    distaff.metrics.mig(CODES, FACTORS)
    assert counts == {"check_codes": 2, "check_factors": 1}


def test_halves_number_factors_anew() -> None:
    """What a half lacks of a factor's values leaves no gap in its numbers."""
    factors = np.stack([np.arange(400) // 2, FACTORS[:, 0]], axis=1)  # a half lacks many
    rows = np.random.default_rng(0).permutation(400)[:200]
    found = needs.NEEDS["factors"].some(factors[rows], ())
    assert (found == np.stack([np.unique(c, return_inverse=True)[1] for c in factors[rows].T], axis=1)).all()
    with pytest.raises(BadInput, match="factor column 1 has a single value"):
        needs.NEEDS["factors"].some(np.c_[factors[:, 0], np.zeros(400, int)], ())
