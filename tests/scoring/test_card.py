"""The score card: intervals that cover, chance and ceiling, what does not apply."""

import json

import numpy as np
import pytest

import distaff
from distaff.errors import BadInput
from distaff.factors import FactorSpace
from distaff.scoring.card import ScoreCard
from distaff.scoring.measure import HALVES
from distaff.scoring.score import score

SPACE = FactorSpace(("a", "b"), (4, 5))


def noisy(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    factors = SPACE.sample(n, seed)
    return factors + np.random.default_rng([seed, 1]).standard_normal(factors.shape), factors


@pytest.mark.parametrize(("rows", "least", "most"), [(3000, 0.75, 1.3), (500, 0.75, 2.0)])
def test_the_interval_is_as_wide_as_scores_really_vary(rows: int, least: float, most: float) -> None:
    values, widths = [], []
    for seed in range(40):
        card = score(*noisy(rows, seed), metrics=["mig"])["mig"]
        assert card.value is not None
        assert card.low is not None
        assert card.high is not None
        values.append(card.value)
        widths.append((card.high - card.low) / (2 * 1.96))
    assert least < np.mean(widths) / np.std(values, ddof=1) < most


def test_more_rows_narrow_it() -> None:
    few, many = (score(*noisy(n, 0), metrics=["mig"])["mig"] for n in (500, 8000))
    assert (many.high - many.low) < 0.5 * (few.high - few.low)


def test_the_ceiling_of_a_single_factor_has_noise_beside_it_only_for_a_gap(no_intervals: None) -> None:
    factor = np.random.default_rng(0).standard_normal(400)
    card = distaff.score(factor, factor, continuous=True, metrics=["linear_r2", "irs"])
    assert card["linear_r2.codes_from_factors"].ceiling == pytest.approx(1)
    assert card["irs"].ceiling == pytest.approx(card["irs"].value, abs=0.02)
    codes = np.column_stack([factor, -factor])
    assert distaff.score(codes, factor > 0, metrics=["sap"])["sap"].ceiling > 0.2


def test_chance_ceiling_and_scale(no_intervals: None) -> None:
    factors = SPACE.sample(4000, 0)
    ideal = score((factors - factors.mean(axis=0)) / factors.std(axis=0), factors)
    noise = score(np.random.default_rng(1).standard_normal((4000, 2)), factors)
    assert ideal["gaussian_total_correlation"].scaled is None  # chance and ceiling are both 0
    for name in [name for name in ideal if ideal[name].scaled is not None]:
        assert ideal[name].scaled == pytest.approx(1, abs=0.02)
        # few codes of noise vary, most in the scores that are shares of almost nothing
        if name == "modularity" or ideal[name].ceiling is None or ideal[name].ceiling < 0.3:
            continue  # two codes of noise may have any modularity; on a short scale nothing can be told
        tolerance = 0.03 if name in ("mig", "beta_vae_score", "factor_vae_score") else 0.15
        assert noise[name].scaled == pytest.approx(0, abs=tolerance)
        assert ideal[name].chance == pytest.approx(noise[name].value, abs=tolerance)


def test_what_does_not_apply_is_said_and_the_rest_is_scored(no_intervals: None) -> None:
    codes, factors = noisy(500, 0)
    one_factor = score(codes, factors[:, 0])
    assert one_factor["factor_vae_score"].value is None
    assert (
        one_factor["factor_vae_score"].reason
        == "not applicable: factor_vae_score needs at least 2 factors, got 1"
    )
    assert one_factor["mig"].value is not None
    assert "not applicable: factor_vae_score needs" in str(one_factor)
    one_code = score(codes[:, :1], factors)
    assert one_code["mig"].reason == "not applicable: mig needs at least 2 codes, got 1"
    assert one_code["beta_vae_score"].value is not None


def test_round_trip_and_frame() -> None:
    some = ["mig", "dci", "irs", "gaussian_wasserstein_correlation"]
    card = score(*noisy(300, 0), names=["a", "b"], metrics=some)
    again = ScoreCard.from_dict(json.loads(json.dumps(card.to_dict())))
    assert again == card
    frame = card.to_frame()
    assert frame.loc["mig", "value"] == card["mig"].value
    assert card.protocol["factors"] == ["a", "b"]
    with pytest.raises(BadInput, match="did you mean 'mig'"):
        card["migg"]


def test_what_is_no_card_is_refused_and_says_where() -> None:
    value = score(*noisy(50, 0), metrics=["mig"]).to_dict()
    mig = value["scores"]["mig"]

    def refused(where: str, **changed: object) -> None:
        with pytest.raises(BadInput, match=f"not a score card: .*{where}"):
            ScoreCard.from_dict(value | changed)

    refused(r"at `\$\.scores`", scores=3)
    for wrong in ("x", True, float("nan"), 1e301):
        refused(r"at `\$\.scores\[\.\.\.\]", scores={"mig": mig | {"value": wrong}})
    refused("an interval has two ends", scores={"mig": mig | {"low": None}})
    refused(r"at `\$\.protocol\.rows`", protocol=value["protocol"] | {"rows": -1})
    refused(r"at `\$\.protocol\.left out", protocol=value["protocol"] | {"left out": ["x"]})
    refused(r"field `factors` - at `\$\.protocol`", protocol={"rows": 1, "codes": 1, "seed": 0})
    refused(r"at `\$\.health\[0\]", health=[{"code": 1}])
    with pytest.raises(BadInput, match="not a score card"):
        ScoreCard.from_dict({"scores": 3})
    more = value | {"of a newer version": 1, "protocol": value["protocol"] | {"of a newer version": 1}}
    assert ScoreCard.from_dict(more).protocol["of a newer version"] == 1


def test_the_same_seed_gives_the_same_card_and_few_rows_no_interval(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(HALVES, "fast", 3)
    fast = ["factor_vae_score", "mig", "sap"]
    assert score(*noisy(100, 0), metrics=fast) == score(*noisy(100, 0), metrics=fast)
    tiny = score(*noisy(19, 0), metrics=fast)
    assert tiny["mig"].low is None
    assert tiny["mig"].value is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"metrics": ["migg"]}, "unknown metric 'migg'; did you mean 'mig'"),
        ({"names": ["a"]}, "1 factor names for 2 factors"),
        ({"seed": -1}, "seed=-1 is not allowed"),
    ],
)
def test_wrong_arguments(arguments: dict, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        distaff.score(*noisy(50, 0), **arguments)
