"""Rows that come in units: what is learned is tried on other units, and intervals are over units."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from commands import distaff as command

import distaff
from distaff.errors import BadInput
from distaff.metrics import mig, sap
from distaff.metrics.held_out import unit_places
from distaff.scoring.score import score_matrices

RNG = np.random.default_rng(0)
EPISODES, FRAMES = 30, 20
EPISODE = np.repeat(np.arange(EPISODES), FRAMES)
KIND = RNG.integers(3, size=EPISODES)[EPISODE]  # one for a whole episode
X = RNG.integers(4, size=len(EPISODE))
NAMES = [f"episode {number}" for number in EPISODE]
FACTORS = np.stack([KIND, X], axis=1)
#: two codes that tell the episode and nothing else, and one that tells x
CODES = np.c_[RNG.standard_normal((EPISODES, 2))[EPISODE], X + 0.1 * RNG.standard_normal(len(X))]
FRAME = pd.DataFrame({"kind": KIND, "x": X, "episode": NAMES})
QUICK: dict[str, Any] = {"metrics": ["mig", "sap", "dci"], "values_only": True}


def values(card: distaff.ScoreCard) -> dict[str, float | None]:
    return {name: score.value for name, score in card.scores.items()}


def test_no_unit_is_on_both_sides_and_a_third_is_held_out() -> None:
    learn, score = unit_places(EPISODE, 3)
    assert not set(EPISODE[learn]) & set(EPISODE[score])
    assert sorted([*learn, *score]) == list(range(len(EPISODE)))
    assert len(set(EPISODE[score])) == EPISODES // 3
    assert [len(part) for part in unit_places(EPISODE, 3, most=(50, 7))] == [50, 7]


def test_a_score_that_learns_is_that_of_the_units_held_out() -> None:
    card = distaff.score(CODES, FACTORS, units=EPISODE, seed=5, **QUICK)
    learn, score = unit_places(EPISODE, 5)
    held = CODES[score], FACTORS[score]
    assert card["sap"].value == sap(CODES[learn], FACTORS[learn], test=held, seed=5)
    assert card["mig"].value == mig(CODES, FACTORS)  # nothing is learned


def test_what_tells_the_episode_does_not_tell_what_it_shares() -> None:
    by_row = distaff.score(CODES, FACTORS, **QUICK)["dci.informativeness"].value
    by_unit = distaff.score(CODES, FACTORS, units=EPISODE, **QUICK)["dci.informativeness"].value
    assert by_row is not None
    assert by_unit is not None
    assert by_row > 0.95
    assert by_unit < 0.8  # x is told, and of three kinds a guess is right in a third


def test_intervals_are_over_units() -> None:
    """Frames that repeat each other add nothing: the interval is that of a frame of each episode."""
    source = RNG.standard_normal((60, 1))
    code = source + RNG.standard_normal((60, 1))
    given: dict[str, Any] = {"continuous": True, "metrics": ["mcc"]}
    frames = np.repeat(np.arange(60), 10)
    one = distaff.score(code, source, **given)["mcc"]
    every = distaff.score(code[frames], source[frames], units=frames, **given)["mcc"]
    rows = distaff.score(code[frames], source[frames], **given)["mcc"]

    def width(score: Any) -> float:
        return float(score.high - score.low)

    assert width(every) > 0.6 * width(one)
    assert width(rows) < 0.5 * width(one)


@pytest.mark.parametrize("units", ["episode", NAMES, EPISODE, EPISODE.astype(float), FRAME["episode"]])
def test_units_are_a_column_or_an_array(units: Any) -> None:
    factors = FRAME if isinstance(units, str) else FRAME[["kind", "x"]]
    card = distaff.score(CODES, factors, units=units, **QUICK)
    expected = distaff.score(CODES, FACTORS, units=EPISODE, **QUICK)
    assert (card.protocol["factors"], card.protocol["units"]) == (["kind", "x"], EPISODES)
    assert values(card) == values(expected)
    assert "600 rows of 30 units, 3 codes" in str(card)


def test_a_column_beside_codes_and_in_both_is_no_code() -> None:
    beside = pd.DataFrame(CODES, columns=["a", "b", "c"]).assign(episode=NAMES)
    expected = distaff.score(CODES, FRAME, units="episode", **QUICK)
    for factors in (FRAME, FRAME[["kind", "x"]]):
        card = distaff.score(beside, factors, units="episode", **QUICK)
        assert card.protocol["codes"] == 3
        assert values(card) == values(expected)


def test_units_go_with_their_rows() -> None:
    codes = pd.DataFrame(CODES, index=[f"row {i}" for i in range(len(CODES))])
    factors = FRAME.set_axis(codes.index).sample(frac=1, random_state=0)
    expected = distaff.score(CODES, FRAME, units="episode", **QUICK)
    assert values(distaff.score(codes, factors, units="episode", **QUICK)) == values(expected)
    apart = distaff.score(codes, factors[["kind", "x"]], units=factors["episode"], **QUICK)
    assert values(apart) == values(expected)


def test_cells_of_donors() -> None:
    index = [f"cell{i}" for i in range(len(CODES))]
    kinds = pd.DataFrame({"kind": pd.Categorical(KIND), "donor": pd.Categorical(NAMES)}, index=index)
    cells = SimpleNamespace(obs=kinds, obsm={"X": CODES})
    for obs in (None, ["kind"]):
        card = distaff.score(cells, obs=obs, units="donor", metrics=["sap"], values_only=True)
        assert (card.protocol["factors"], card.protocol["units"]) == (["kind"], EPISODES)


def test_the_matrix_behind_sap_is_of_the_same_units() -> None:
    found = score_matrices(CODES, FACTORS, units=EPISODE)["predictability"]
    high = np.sort(found, axis=0)
    card = distaff.score(CODES, FACTORS, units=EPISODE, **QUICK)
    assert card["sap"].value == pytest.approx(float((high[-1] - high[-2]).mean()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"units": "episod"}, "unknown column of units 'episod'; did you mean 'episode'?"),
        ({"units": np.zeros(len(X))}, "units hold 1 different values in 600 rows; at least 2 are needed"),
        ({"units": np.arange(len(X))}, "units hold 600 different values in 600 rows"),
        ({"units": EPISODE[:-1]}, "codes have 600 rows and units 599"),
        ({"units": [None, *NAMES[1:]]}, "units, row 0: no value for column 0"),
        ({"units": EPISODE, "protocol": "locatello2019"}, "give it or units, not both"),
    ],
)
def test_wrong_units(given: dict[str, Any], message: str) -> None:
    codes, factors = CODES, FRAME
    if "protocol" in given:  # which asks for more rows first
        codes, factors = np.tile(CODES, (40, 1)), pd.concat([FRAME] * 40, ignore_index=True)
        given = given | {"units": np.tile(EPISODE, 40), "metrics": ["mig"]}
    with pytest.raises(BadInput, match=re.escape(message)):
        distaff.score(codes, factors, **QUICK | given)


def test_a_factor_that_the_other_units_lack_has_no_value_there() -> None:
    rare = (EPISODE == 0).astype(int)
    card = distaff.score(CODES, rare, units=EPISODE, metrics=["sap", "mig"])
    said = "not applicable: in the units that are held out factor column 0 has a single value"
    assert (card["sap"].value, card["sap"].reason) == (None, said)
    assert card["mig"].value is not None


def test_few_units_have_no_intervals() -> None:
    card = distaff.score(CODES, FACTORS, units=EPISODE // 10, metrics=["mig"])
    assert card["mig"].low is None
    assert "note: 3 units are too few for intervals, which take 20" in str(card)


def test_by_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = pd.DataFrame(CODES, columns=["a", "b", "c"]).join(FRAME)
    table.to_csv(tmp_path / "all.csv", index=False)
    words = ["--code-columns", "a,b,c", "--factor-columns", "kind,x", "--metric", "sap", "--values-only"]
    status, out, _ = command(capsys, "score", tmp_path / "all.csv", *words, "--units", "episode")
    expected = distaff.score(CODES, FRAME, units="episode", metrics=["sap"], values_only=True)
    assert (status, "600 rows of 30 units" in out) == (0, True)
    assert f"{expected['sap'].value:.3f}" in out
