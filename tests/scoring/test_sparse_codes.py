"""The card of sparse codes: what needs no array, with intervals, chance of shuffled rows, and findings."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from metrics.recipes import sparse_of_all_kinds as world

import distaff
from distaff import metrics, registry
from distaff.errors import BadInput

TAKEN = [n for n in registry.names("metrics") if not registry.get("metrics", n).declaration.only_dense]


def test_the_card_gives_what_needs_no_array_and_names_the_rest(no_intervals: None) -> None:
    codes, factors = world(1000)
    codes = np.delete(codes, 8, axis=1)  # it varies by rounding alone, which hangs on an array's layout
    card = distaff.score(scipy.sparse.csr_matrix(codes), factors)
    assert {name.partition(".")[0] for name in card} == set(TAKEN)
    assert all(card[name].chance is not None and card[name].ceiling is not None for name in card)
    assert "note: codes are sparse, and stay so: left out are scores that need an array (beta_vae" in str(
        card
    )
    dense = distaff.score(codes, factors, metrics=list(TAKEN))
    for name in card:
        assert card[name].value == pytest.approx(dense[name].value, abs=1e-12), name
    assert card["best_latent.auroc"].chance == pytest.approx(0.5, abs=0.05)
    asked = distaff.score(scipy.sparse.csr_matrix(codes), factors, metrics=["dci", "mig"], values_only=True)
    assert asked["dci"].reason.startswith("not applicable: dci takes no sparse codes, for ")
    assert asked["dci"].reason.endswith(f"these do: {', '.join(TAKEN)}")
    assert asked["mig"].value == card["mig"].value


def test_intervals_halves_and_findings() -> None:
    codes, factors = world(600, 60)
    factors = np.concatenate([factors, factors[:, :1]], axis=1)
    given: dict[str, Any] = {"metrics": ["mig", "mcc", "modularity"]}
    card = distaff.score(scipy.sparse.csr_matrix(codes), factors, **given)
    dense = distaff.score(codes, factors, **given)
    for name in card:
        assert (card[name].low, card[name].high) == pytest.approx(
            (dense[name].low, dense[name].high), abs=1e-9
        )
        assert card[name].ceiling == dense[name].ceiling
    codes_of = {finding.code: finding.message for finding in card.health}
    known = {finding.code: finding.message for finding in dense.health}
    assert {"H02", "H10", "W01", "W02", "W04"} <= codes_of.keys()
    assert {code: known[code] for code in codes_of if code != "H05"} == {
        code: message for code, message in codes_of.items() if code != "H05"
    }


def test_chance_is_that_of_shuffled_rows_and_kept_for_these_codes() -> None:
    codes, factors = world(500)
    first = distaff.score(scipy.sparse.csr_matrix(codes), factors, metrics="mig")["mig"].chance
    again = distaff.score(scipy.sparse.csr_matrix(codes), factors, metrics="mig")["mig"].chance
    other = distaff.score(scipy.sparse.csr_matrix(codes[::-1]), factors, metrics="mig")["mig"].chance
    rng = np.random.default_rng(0)
    shuffled = [metrics.mig(codes[rng.permutation(500)], factors) for _ in range(40)]
    assert first == again
    assert first != other
    assert first == pytest.approx(np.mean(shuffled), abs=3 * np.std(shuffled) / np.sqrt(3))


def test_matrices_of_codes_and_factors() -> None:
    from distaff.scoring.score import score_matrices

    codes, factors = world()
    found, dense = (score_matrices(each, factors) for each in (scipy.sparse.csr_array(codes), codes))
    assert found.keys() == {"mutual_information", "correlation"}
    for name, matrix in found.items():
        assert matrix == pytest.approx(dense[name], abs=1e-12)


def test_rows_without_a_value_can_be_dropped() -> None:
    codes, factors = world()
    holed = codes.copy()
    holed[[3, 7], [2, 30]] = np.nan
    kept = np.setdiff1d(np.arange(300), [3, 7])
    given: dict[str, Any] = {"metrics": "mig", "values_only": True, "missing": "drop"}
    card = distaff.score(scipy.sparse.csr_array(holed), factors, **given)
    assert card["mig"].value == pytest.approx(metrics.mig(codes[kept], factors[kept]), abs=1e-12)
    assert "2 of 300 rows left out" in card.protocol["notes"][0]


def test_factors_must_be_an_array() -> None:
    codes, factors = world()
    with pytest.raises(
        BadInput, match=r"factors: a sparse matrix cannot be taken here; give \.toarray\(\) of it"
    ):
        distaff.score(codes, scipy.sparse.csr_array(factors))
    with pytest.raises(BadInput, match=r"logvar: a sparse matrix cannot be taken here"):
        distaff.score(codes, factors, logvar=scipy.sparse.csr_array(codes))


def test_blocks_of_sparse_codes_have_reasons() -> None:
    codes, factors = world(60)
    card = distaff.score(scipy.sparse.csr_array(codes), factors, blocks=[[0, 1], [2, 3]], values_only=True)
    assert len(card) > 3
    for score in card.scores.values():
        assert "takes no sparse codes, for its " in score.reason
    assert not any("left out are scores" in note for note in card.protocol["notes"])
