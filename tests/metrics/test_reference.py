"""Chance and ceiling: cached by factors, number of codes and protocol, and the same from the cache."""

from pathlib import Path

import numpy as np
import pytest

import distaff
from distaff.errors import BadInput
from distaff.metrics import reference
from distaff.metrics.inputs import Inputs
from distaff.metrics.protocols import PROTOCOLS, prepare


def world(n: int = 300, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(n, 2))
    return rng.standard_normal((n, d)), factors


def test_it_is_computed_once_for_a_table_of_factors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path))
    calls = []
    compute = reference._compute
    monkeypatch.setattr(reference, "_compute", lambda *args: calls.append(1) or compute(*args))
    codes, factors = world()
    first = distaff.score(codes, factors, metrics="mig")["mig"]
    again = distaff.score(2 * codes + 1, factors, metrics="mig")["mig"]
    assert (first.chance, first.ceiling) == (again.chance, again.ceiling)
    assert len(calls) == 1
    distaff.score(codes[:, :2], factors, metrics="mig")  # another number of codes
    distaff.score(codes, factors[::-1], metrics="mig")  # another table
    distaff.score(codes, factors, metrics="modularity")  # another metric
    distaff.score(codes, factors, metrics="mig", seed=1)
    assert len(calls) == 5
    assert len(list((tmp_path / "reference").glob("*.json"))) == 5
    for path in (tmp_path / "reference").glob("*.json"):
        path.write_text("{")  # a damaged cache is made again
    assert distaff.score(codes, factors, metrics="mig")["mig"] == first


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path / "file"))
    assert distaff.score(*world(), metrics="mig")["mig"].ceiling == pytest.approx(1, abs=0.05)


def test_the_published_caps_and_floors_come_out() -> None:
    """Equal bins cap MIG at .902 on dSprites; noise scores .65 on modularity and .365 on IRS there."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=10_000) for size in (3, 6, 40, 32, 32)], axis=1)
    card = distaff.score(rng.standard_normal((10_000, 10)), factors, metrics=["mig", "modularity", "irs"])
    grid = np.indices((3, 6, 40, 32, 32)).reshape(5, -1).T
    ceiling = reference.reference(distaff.metrics.mig, Inputs(grid.astype(np.float32), grid), 0, None).ceiling
    assert ceiling["mig"] == pytest.approx(0.902, abs=0.0005)
    assert card["modularity"].chance == pytest.approx(0.65, abs=0.05)
    assert card["irs"].chance == pytest.approx(0.365, abs=0.02)


def test_the_studys_protocol_takes_its_numbers_of_rows() -> None:
    codes, factors = np.zeros((20_000, 2)), np.arange(40_000).reshape(20_000, 2)
    codes[:, 0] = np.arange(20_000)
    inputs = Inputs(codes, factors)
    learn, settings = prepare("locatello2019", distaff.metrics.dci, inputs, 0)
    assert len(learn) == 10_000
    assert len(settings["test"][0]) == 5_000
    assert settings["learner"] == "gradient_boosting"
    assert not set(learn.codes[:, 0]) & set(settings["test"][0][:, 0]), (
        "rows are both learned from and scored on"
    )
    assert (learn.factors[:, 0] == 2 * learn.codes[:, 0]).all(), "rows were torn apart"
    whole, settings = prepare("locatello2019", distaff.metrics.factor_vae_score, inputs, 0)
    assert len(whole) == 20_000
    assert settings == {}
    assert prepare(None, distaff.metrics.dci, inputs, 0) == (inputs, {})


def test_the_studys_protocol_refuses_fewer_rows_and_names_itself() -> None:
    codes, factors = world(12_000)
    with pytest.raises(BadInput, match=r"locatello2019 takes 15,000 rows for sap, got 12,000"):
        distaff.score(codes, factors, metrics=["mig", "sap"], protocol="locatello2019")
    card = distaff.score(codes, factors, metrics=["mig"], protocol="locatello2019")
    assert card.protocol["protocol"] == "locatello2019"
    assert "protocol locatello2019" in str(card)
    rows = np.random.default_rng([0, 1]).permutation(12_000)[:10_000]
    assert card["mig"].value == distaff.metrics.mig(codes[rows], factors[rows])
    with pytest.raises(BadInput, match="unknown protocol 'locatelo2019'; did you mean"):
        distaff.score(codes, factors, protocol="locatelo2019")


def test_every_metric_of_a_protocol_exists() -> None:
    for sizes in PROTOCOLS.values():
        assert set(sizes) <= set(distaff.registry.names("metrics"))


def test_the_card_takes_what_a_metric_needs() -> None:
    codes, factors = world()
    card = distaff.score(codes, factors, metrics=["mig", "mig_exact", "udr"], values_only=True)
    assert card["mig_exact"].reason.endswith("log-variances of the codes (logvar)")
    assert card["udr"].reason.endswith("other runs with the same settings (mates)")
    card = distaff.score(
        codes,
        factors,
        metrics=["mig_exact", "udr"],
        logvar=np.full(codes.shape, -2.0),
        mates=[codes[:, ::-1]],
    )
    assert card["udr"].value == pytest.approx(0.9, abs=0.05)
    assert card["udr"].chance < 0.1
    assert card["udr"].ceiling > 0.85
    assert card["mig_exact"].ceiling == pytest.approx(1, abs=0.02)


def test_default_and_all() -> None:
    from distaff.metrics.scoring import wanted_metrics

    default, everything = wanted_metrics(None), wanted_metrics("all")
    assert {"mig", "dci", "sap", "gaussian_total_correlation"} <= set(default)
    assert set(everything) - set(default) == {"downstream", "fairness", "infomec"}
    assert "udr" not in everything
    assert "udr" in wanted_metrics("all", ("factors", "mates"))


def test_the_studys_protocol_asks_for_rows_behind_votes_too() -> None:
    with pytest.raises(BadInput, match=r"takes 10,000 rows for factor_vae_score, got 300"):
        distaff.score(*world(), metrics=["factor_vae_score"], protocol="locatello2019")


def test_collapsed_latents_are_left_out_of_udr_where_their_variances_are_given() -> None:
    rng = np.random.default_rng(0)
    good = rng.standard_normal((500, 4))
    codes, mate = (np.concatenate([good, 0.01 * rng.standard_normal((500, 4))], axis=1) for _ in range(2))
    logvar = np.concatenate([np.full((500, 4), -4.0), np.full((500, 4), -0.0001)], axis=1)
    factors = rng.integers(3, size=(500, 2))
    given = {"metrics": "udr", "mates": [mate], "values_only": True}
    assert distaff.score(codes, factors, **given)["udr"].value < 0.6
    filtered = distaff.score(codes, factors, logvar=logvar, mates_logvar=[logvar], **given)
    assert filtered["udr"].value == pytest.approx(0.9, abs=0.05)


@pytest.mark.parametrize(
    "text", ['{"chance": 3, "ceiling": 4}', '{"chance": {"mig": "x"}, "ceiling": {}}', "[]"]
)
def test_a_cache_that_is_not_one_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path))
    first = distaff.score(*world(), metrics="mig")["mig"]
    (path,) = (tmp_path / "reference").glob("*.json")
    path.write_text(text)
    assert distaff.score(*world(), metrics="mig")["mig"] == first
