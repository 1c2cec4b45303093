"""Chance and ceiling: cached by factors, number of codes and protocol, and the same from the cache."""

from pathlib import Path

import numpy as np
import pytest

import distaff
from distaff.errors import BadInput
from distaff.metrics.declare import metric
from distaff.scoring.inputs import Inputs
from distaff.scoring.measure import Measure


def world(n: int = 300, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = rng.integers(4, size=(n, 2))
    return rng.standard_normal((n, d)), factors


def test_it_is_computed_once_for_a_table_of_factors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path))
    calls = []
    compute = Measure.chance_and_ceiling
    monkeypatch.setattr(Measure, "chance_and_ceiling", lambda self: calls.append(1) or compute(self))
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


def test_another_default_has_another_chance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path))
    codes, factors = world()

    def of(default: float) -> Measure:
        @metric(source="ours", truth={})
        def told(codes: np.ndarray, factors: np.ndarray, *, says: float = default) -> float:
            return says

        return Measure(told, Inputs(codes, {"factors": factors}), seed=0)

    assert [of(each).reference().ceiling["told"] for each in (0.25, 0.75, 0.25)] == [0.25, 0.75, 0.25]
    assert len(list((tmp_path / "reference").glob("*.json"))) == 2


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DISTAFF_DATA", str(tmp_path / "file"))
    assert distaff.score(*world(), metrics="mig")["mig"].ceiling == pytest.approx(1, abs=0.05)


def test_the_published_caps_and_floors_come_out(no_intervals: None) -> None:
    """Equal bins cap MIG at .902 on dSprites; noise scores .65 on modularity and .365 on IRS there."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=10_000) for size in (3, 6, 40, 32, 32)], axis=1)
    card = distaff.score(rng.standard_normal((10_000, 10)), factors, metrics=["mig", "modularity", "irs"])
    grid = np.indices((3, 6, 40, 32, 32)).reshape(5, -1).T
    inputs = Inputs(grid.astype(np.float64), {"factors": grid})
    ceiling = Measure(distaff.metrics.mig, inputs, 0).reference().ceiling
    assert ceiling["mig"] == pytest.approx(0.902, abs=0.0005)
    assert card["modularity"].chance == pytest.approx(0.65, abs=0.05)
    assert card["irs"].chance == pytest.approx(0.365, abs=0.02)


def protocol_of(metric: str) -> dict:
    return distaff.registry.get("metrics", metric).declaration.protocols


def test_the_studys_protocol_takes_its_numbers_of_rows() -> None:
    codes, factors = np.zeros((20_000, 2)), np.arange(40_000).reshape(20_000, 2)
    codes[:, 0] = np.arange(20_000)
    inputs, seen = Inputs(codes, {"factors": factors}), []

    def of_arrays(codes, factors, *, test=None, learner="", seed=0) -> float:
        seen.append((codes, factors, test, learner))
        return 0.5

    def measure(name: str, protocol: str | None) -> tuple:
        made = metric(source="here", protocols=protocol_of(name))(of_arrays)
        Measure(made, inputs, 0, protocol).value()
        return seen.pop()

    learn, known, test, learner = measure("dci", "locatello2019")
    assert len(learn) == 10_000
    assert len(test[0]) == 5_000
    assert learner == "gradient_boosting"
    assert not set(learn[:, 0]) & set(test[0][:, 0]), "rows are both learned from and scored on"
    rows = np.concatenate([learn[:, 0], test[0][:, 0]])
    numbers = np.concatenate([known[:, 0], test[1][:, 0]])  # of both parts together, without gaps
    assert (numbers == np.argsort(np.argsort(rows))).all(), "rows were torn apart"
    assert len(measure("factor_vae_score", "locatello2019")[0]) == 20_000
    assert measure("dci", None)[2:] == (None, "")
    assert (measure("dci", None)[0] == codes).all()


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


def test_the_metrics_of_the_study_declare_its_protocol() -> None:
    have = {name for name in distaff.registry.names("metrics") if "locatello2019" in protocol_of(name)}
    assert have >= {"beta_vae_score", "factor_vae_score", "mig", "dci", "sap", "modularity", "irs"}
    assert len(have) == 14


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
    from distaff.scoring.score import wanted_metrics

    default, everything = wanted_metrics(None), wanted_metrics("all")
    assert {"mig", "dci", "sap", "gaussian_total_correlation"} <= set(default)
    left_out = {"downstream", "drvi", "fairness", "infomec", "kernel_r2", "best_latent", "dci_es", "med"}
    assert set(everything) - set(default) == left_out
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
