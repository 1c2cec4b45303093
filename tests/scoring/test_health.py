"""Health checks: each finds what it is for, and nothing on codes that are well."""

import re

import numpy as np
import pytest

import distaff
from distaff.metrics.information import discretise, entropy, mutual_information
from distaff.scoring import health
from distaff.scoring.card import ScoreCard
from distaff.scoring.health import CHECKS, equal_mass, few_rows, lost_factors

FAST = ["beta_vae_score", "factor_vae_score", "mig"]
NAMES = ["shape", "size", "hue", "copy"]


def world(n: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(size, size=n) for size in (3, 5, 8)], axis=1)
    return factors / factors.std(axis=0) + 0.1 * rng.standard_normal(factors.shape), factors


def found(codes: np.ndarray, factors: np.ndarray, **settings: object) -> list[str]:
    names = NAMES[: factors.shape[1]]
    card = distaff.score(codes, factors, **{"metrics": FAST, "names": names} | settings)
    assert all(finding.message in str(card) for finding in card.health)
    assert all("\n" not in finding.message for finding in card.health)
    assert ScoreCard.from_dict(card.to_dict()) == card
    return [f"{finding.code} {finding.message}" for finding in card.health]


def with_outlier(codes: np.ndarray, row: int = 1234, *columns: int) -> np.ndarray:
    codes = codes.copy()
    codes[row, list(columns or (0,))] = 1e4
    return codes


def test_nothing_is_found_on_good_codes() -> None:
    codes, factors = world()
    assert found(codes, factors, logvar=np.full(codes.shape, -4.0)) == []


def test_nothing_is_found_on_good_codes_in_the_whole_card() -> None:
    assert found(*world(), metrics=None, values_only=True) == []


def test_each_check_finds_what_it_is_for() -> None:
    codes, factors = world()
    noise = np.random.default_rng(1).standard_normal(codes.shape)
    collapsed = np.zeros(codes.shape)
    collapsed[:, 0] = -4
    cases = {
        "H01": (
            found(codes * [1, 0.01, 0.01], factors, logvar=collapsed, values_only=True),
            "1 active latents for 3 factors",
        ),
        "H02": (
            found(np.c_[codes, np.ones(len(codes))], factors, metrics="mig", values_only=True),
            "1 of 4 codes are constant: 3",
        ),
        "H03": (
            found(np.c_[codes, -2 * codes[:, 1]], factors, metrics="mig", values_only=True),
            "codes 1 and 3 are copies",
        ),
        "H04": (found(codes[:60], factors[:60], metrics="mig"), "factor hue has 8 values in 60 rows"),
        "H05": (
            found(noise, factors, metrics=["mig", "explicitness", "irs"]),
            "not to be told from noise: mig, explicitness, irs",
        ),
        "H06": (found(codes[:, :2], factors, values_only=True), "no code knows of hue, .*: beta_vae_score"),
        "H07": (
            found(0.01 * codes, factors, values_only=True),
            r"factor_vae_score 0\.00, 1\.00 standardised \(it leaves out codes 0, 1, 2\)",
        ),
        "H08": (found(np.c_[codes, noise][:6], factors[:6], metrics="mig"), "6 codes for 6 rows"),
        "H09": (
            found(with_outlier(codes), factors, values_only=True),
            r"code 0 \(row 1234 holds 1e\+04\).*mig 0\.6. -> 0\.9",
        ),
        "H10": (
            found(codes, np.c_[factors, 9 - factors[:, 0]], values_only=True),
            "factors shape and copy are copies",
        ),
    }
    assert cases.keys() == CHECKS.keys(), "a check without a test"
    for code, (findings, message) in cases.items():
        assert any(re.search(f"{code} .*{message}", finding) for finding in findings), findings


@pytest.mark.parametrize("code", CHECKS)
def test_codes_are_stable_words(code: str) -> None:
    assert code[0] == "H"
    assert len(code) == 3
    assert CHECKS[code].split(":")[0]


def test_one_row_makes_no_copies_and_hides_no_factor() -> None:
    codes, factors = world()
    findings = dict(
        line.split(" ", 1) for line in found(with_outlier(codes, 7, 0, 1, 2), factors, values_only=True)
    )
    assert not {"H03", "H06"} & findings.keys()
    assert "code 2 (row 7 holds 1e+04)" in findings["H09"]


def test_a_heavy_tail_hides_no_factor() -> None:
    codes, factors = world()
    assert lost_factors(np.exp(3 * codes), factors, NAMES[: factors.shape[1]]) == []
    assert lost_factors(np.exp(3 * codes[:, :2]), factors, NAMES[: factors.shape[1]]) == ["hue"]


@pytest.mark.parametrize("n", [1000, 10_000, 100_000])
def test_heavy_tails_are_named(n: int) -> None:
    rng = np.random.default_rng(n)
    codes = np.exp(3 * rng.standard_normal((n, 2)))
    factors = np.stack([np.digitize(column, np.exp([-2.0, 0.0, 2.0])) for column in codes.T], axis=1)
    findings = [line for line in found(codes, factors, metrics="mig", values_only=True) if "H09" in line]
    row = int(codes[:, 0].argmax())
    assert any(f"code 0 (row {row} holds" in line for line in findings)
    assert any(re.search(r"mig 0\.\d\d -> 0\.[6-9]", line) for line in findings), findings


def test_codes_that_are_mostly_off_are_well() -> None:
    """A feature that is 0 in most rows is no outlier, however few the others are; one row beyond them is."""
    rng = np.random.default_rng(0)
    codes = np.maximum(rng.standard_normal((5000, 4)) - np.array([0.5, 1.5, 2.5, 3.0]), 0)
    factors = (codes[:, :2] > 0).astype(int)
    assert not any("H09" in line for line in found(codes, factors, metrics="mig", values_only=True))
    (line,) = [line for line in found(with_outlier(codes, 9, 1), factors, metrics="mig") if "H09" in line]
    assert "of code 1 (row 9 holds 1e+04);" in line


def rare(n: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Perfect codes of a rare class and of a common factor."""
    rng = np.random.default_rng(seed)
    factors = np.stack([np.zeros(n, dtype=int), rng.integers(2, size=n)], axis=1)
    factors[rng.permutation(n)[: max(1, round(share * n))], 0] = 1
    return factors + rng.choice([0.001, 0.01, 0.03]) * rng.standard_normal((n, 2)), factors


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05])
@pytest.mark.parametrize("n", [100, 300, 1000, 2000])
def test_perfect_codes_of_a_rare_class_are_well(n: int, share: float) -> None:
    for seed in range(10):
        codes, factors = rare(n, share, seed)
        assert lost_factors(codes, factors, NAMES[: factors.shape[1]]) == []
        assert not any("H09" in line for line in found(codes, factors, metrics="mig", values_only=True))


def test_perfect_codes_with_few_rows_know_their_factor() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        factors = np.stack([rng.permutation(40) % 8, rng.integers(8, size=40)], axis=1)
        assert (
            lost_factors(factors + 0.05 * rng.standard_normal((40, 2)), factors, NAMES[: factors.shape[1]])
            == []
        )


def test_a_missing_rare_class_is_missed() -> None:
    codes, factors = rare(2000, 0.05, 0)
    assert lost_factors(codes[:, 1:], factors, ["rare", "common"]) == ["rare"]


def test_noise_with_a_fifth_of_a_rare_factor_is_told() -> None:
    """The bias formula says 19 / (2 * 1000) nats, below a tenth of ln 2; of the entropy it is a sixth."""
    rng = np.random.default_rng(0)
    factors = (rng.permutation(1000) < 10).astype(np.int64)[:, None]
    noise = rng.standard_normal((1000, 4))
    bias, values = 19 / 2000, 2
    assert bias < 0.1 * np.log(values)
    (line,) = few_rows(noise, factors, ["rare"])
    share = float(line.split("too high, ")[1].split("%")[0]) / 100
    counted = [mutual_information_by_counting(column, rng.permutation(factors[:, 0])) for column in noise.T]
    assert share == pytest.approx(np.mean(counted) / 0.056, abs=0.05)
    assert list(few_rows(np.repeat(noise, 20, axis=0), np.repeat(factors, 20, axis=0), ["rare"])) == []


def mutual_information_by_counting(code: np.ndarray, factor: np.ndarray) -> float:
    joint = np.histogram2d(code, factor, bins=(20, int(factor.max()) + 1))[0] / len(code)
    outer = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return float(sum(p * np.log(p / q) for p, q in zip(joint.ravel(), outer.ravel(), strict=True) if p))


def test_bins_of_equal_mass() -> None:
    rng = np.random.default_rng(0)
    codes = np.stack([rng.permutation(100), rng.permutation(100) % 3, np.zeros(100, dtype=int)], axis=1)
    binned = equal_mass(codes.astype(float), 20)
    for j, column in enumerate(codes.T):
        for value in np.unique(column):  # a value's bin is the share of smaller ones, 0 apart
            on = column[column != 0]
            bins = min(20, 1 + len(on) // 5)
            own = int(np.mean(on < value) * bins + 1e-9) if value else 20
            assert set(binned[column == value, j]) == {own}


@pytest.mark.parametrize("scale", [0.1, 0.02, 0.01])
def test_every_score_that_scale_moves_is_named_with_both_values(scale: float) -> None:
    """Here the rows are all of them and sap has no settings, so that its values are known."""
    codes, factors = world(2000)
    card = distaff.score(scale * codes, factors, metrics=["sap", "mig"], values_only=True)
    standard = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    raw, after = (distaff.metrics.sap(given, factors, seed=0) for given in (scale * codes, standard))
    assert card["sap"].value == raw
    message = dict(card.health).get("H07", "")
    assert ("sap" in message) == (abs(raw - after) > 0.05)
    assert abs(raw - after) > 0.05
    assert f"sap {raw:.2f}, {after:.2f} standardised" in message
    assert "mig" not in message


def test_posteriors_are_scaled_with_their_codes() -> None:
    codes, factors = world(500)
    logvar = np.full(codes.shape, 2 * np.log(0.05 * 0.05))
    given = {"metrics": "mig_exact", "logvar": logvar, "values_only": True}
    assert "H07" not in dict(distaff.score(0.05 * codes, factors, **given).health)


def test_health_without_factors_and_of_those_that_are_whole() -> None:
    codes, factors = world()
    card = distaff.score(with_outlier(np.c_[codes, codes[:, 0]]), values_only=True)
    assert {"H09"} <= dict(card.health).keys() <= {"H03", "H07", "H09"}
    mixed = np.c_[factors[:, 0] + 0.5 * np.random.default_rng(0).random(len(factors)), factors[:, 1:]]
    findings = found(codes[:60], mixed[:60], metrics="mig", names=None, continuous=[0], values_only=True)
    assert [line[:12] for line in findings if line.startswith("H04")] == ["H04 factor 1", "H04 factor 2"]


@pytest.mark.parametrize("seed", [0, 7])
def test_the_numbers_of_the_card_stand_in_its_health_lines(seed: int) -> None:
    codes, factors = world(900)
    card = distaff.score(0.03 * codes, factors, values_only=True, seed=seed)
    message = dict(card.health)["H07"]
    named = re.findall(r"([a-z_.]+) (-?[\d.]+), -?[\d.]+ standardised", message)
    assert {"sap", "factor_vae_score"} <= {name for name, _ in named}
    for name, value in named:
        assert value == f"{card[name].value:.2f}", name


def test_what_is_not_shuffled_would_not_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the bound of what shuffled values tell, which is kept for values of any rarity."""
    rng, passed = np.random.default_rng(0), 0
    for case in range(60):
        n, values = int(rng.choice([50, 500, 5000, 20_000])), int(rng.choice([2, 3, 10, 40]))
        factor = rng.choice(values, size=n, p=rng.dirichlet(np.full(values, rng.choice([0.05, 1.0]))))[
            :, None
        ]
        factor[:2, 0] = 0, 1
        codes = rng.standard_normal((n, 3)) ** rng.choice([1, 3])
        monkeypatch.setattr(health, "FAR", 0.1)
        quick = list(few_rows(codes, factor, ["f"]))
        monkeypatch.setattr(health, "FAR", 0.0)
        assert quick == list(few_rows(codes, factor, ["f"])), case
        share = mutual_information(discretise(codes, 20), health.shuffled(factor[:, 0])).mean()
        cells = 19 * (len(np.unique(factor)) - 1)
        assert share <= 2 * np.log1p(cells / (n - 1)), case
        passed += np.log1p(cells / (n - 1)) < 0.01 * entropy(factor)[0]
    assert passed > 10


@pytest.mark.parametrize("n", [40, 100, 150, 190, 500, 2000])
@pytest.mark.parametrize("ends", [[1e4], [1e4, -1e4]])
def test_an_outlier_is_named_in_few_rows_and_on_both_sides(n: int, ends: list[float]) -> None:
    codes, factors = world(n)
    codes = (codes - codes.mean(axis=0)) / codes.std(axis=0)
    codes[7 : 7 + len(ends), 0] = ends
    line = dict(distaff.score(codes, factors, metrics=FAST, values_only=True).health)["H09"]
    assert re.search(r"code 0 \(row [78] holds -?1e\+04\)", line), line
    assert re.search(r"mig 0\.\d\d -> 0\.\d\d", line) or n < 100, line


def test_nearly_constant_codes_kill_no_card() -> None:
    codes, factors = world(500)
    rng = np.random.default_rng(0)
    for column in (
        5 + 1e-15 * rng.standard_normal(500),
        np.where(rng.random(500) < 0.5, 0.1, np.nextafter(0.1, 1)),
    ):
        card = distaff.score(np.c_[codes, column], factors, metrics=["mig", "sap"], values_only=True)
        assert card["mig"].value == pytest.approx(distaff.metrics.mig(codes, factors), abs=0.02)
    large = 1.7e18 + np.arange(500) % 3 * 256
    assert distaff.score(np.c_[codes, large], factors, metrics="mig", values_only=True)["mig"].value > 0.9


def test_codes_that_are_mostly_off_know_what_they_are_on_for() -> None:
    rng = np.random.default_rng(284)
    factors = np.stack([rng.integers(size, size=200) for size in (2, 7, 5, 3)], axis=1)
    hot = [(column == value) for column in factors.T for value in np.unique(column)]
    codes = np.stack(hot, axis=1) * (1 + 0.01 * rng.random((200, len(hot))))
    assert "H06" not in dict(distaff.score(codes, factors, values_only=True, metrics=FAST).health)


def test_codes_without_information_do_not_hide_that_rows_are_few() -> None:
    rng = np.random.default_rng(0)
    factors = rng.integers(6, size=(100, 2))
    codes = np.c_[
        factors + 0.1 * rng.standard_normal((100, 2)),
        rng.standard_normal((100, 6)),
        rng.integers(2, size=(100, 12)),
    ]
    assert "H04" in dict(distaff.score(codes, factors, values_only=True, metrics=FAST).health)


def test_of_many_factors_with_few_rows_some_are_named() -> None:
    factors = np.random.default_rng(0).integers(30, size=(40, 9))
    found = distaff.score(factors, factors, metrics=["mig"], values_only=True).health
    said = [line for code, line in found if code == "H04"]
    assert [line.split()[1] for line in said] == [*"01234"]
    assert [line.endswith("; 4 more factors likewise") for line in said] == [False] * 4 + [True]
