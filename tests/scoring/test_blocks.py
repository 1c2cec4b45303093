"""The card of blocks of codes, from Python and from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import distaff as command
from metrics.recipes import three_slots
from metrics.test_blocks import BLOCKS, CODES, FACTORS, GROUPS, SLOTS

import distaff
from distaff.errors import BadInput
from distaff.metrics import block_information, block_leakage, block_mcc, sis
from distaff.metrics.arrays import standardised
from distaff.scoring.score import wanted_metrics

NAMES = ["dci", "block_informativeness", "block_leakage", "block_information", "sis", "block_mcc"]


def test_a_card_of_blocks() -> None:
    card = distaff.score(CODES[:200], FACTORS[:200], blocks=BLOCKS)
    assert list(dict.fromkeys(name.partition(".")[0] for name in card)) == NAMES
    for name in card:
        assert card[name].low <= card[name].value <= card[name].high, name
        assert card[name].chance is not None, name
        assert card[name].ceiling is not None, name
    assert card["block_leakage"].value == block_leakage(CODES[:200], FACTORS[:200], BLOCKS)
    assert not card["block_leakage"].higher_is_better
    assert card["block_information.most"].ceiling > 0.9
    assert card["block_information.most"].chance < 0.1
    assert wanted_metrics(None, ["factors", "blocks"]) == NAMES


def test_codes_in_no_block_are_said_and_not_seen() -> None:
    given = {"metrics": ["block_information"], "values_only": True}
    card = distaff.score(CODES, FACTORS, blocks=BLOCKS[1:], **given)
    assert "codes in no block, which scores of blocks do not see: 0, 1" in card.protocol["notes"]
    alone = block_information(CODES[:, 2:], FACTORS, [[0, 1], [2]])
    assert card["block_information.mig"].value == alone.mig
    without = distaff.score(CODES, FACTORS, **given)
    assert without["block_information"].reason == "not applicable: it needs blocks of codes (blocks)"


def test_groups_of_factors_on_the_card() -> None:
    """Three slots of two factors each; the ceiling is that of codes with a block for each group."""
    codes, factors = three_slots()
    given = {"continuous": True, "blocks": SLOTS, "metrics": ["sis", "block_mcc", "block_leakage"]}
    card = distaff.score(codes[:200], factors[:200], groups=GROUPS, **given)
    for function in (sis, block_mcc):
        own = card[function.__name__]
        together = {"groups": GROUPS, "continuous": True}
        assert own.value == function(codes[:200], factors[:200], SLOTS, **together)
        assert own.low <= own.value <= own.high
        ideal = standardised(factors[:200])
        assert own.ceiling == pytest.approx(function(ideal, factors[:200], GROUPS, **together), abs=1e-12)
        assert own.ceiling > 0.7
    alone = distaff.score(codes[:200], factors[:200], **given)
    assert alone["sis"].value == sis(codes[:200], factors[:200], SLOTS, continuous=True)
    assert alone["sis"].value != card["sis"].value
    assert alone["block_leakage"] == card["block_leakage"]  # which knows of no groups


def test_one_group_has_no_rival_in_codes_that_are_right() -> None:
    codes, factors = three_slots()
    given = {"continuous": True, "blocks": SLOTS, "metrics": ["sis"]}
    card = distaff.score(codes[:200], factors[:200], groups=[[2, 3]], **given)
    assert card["sis"].ceiling > 0.7


def test_factors_that_do_not_vary_leave_their_group() -> None:
    codes, factors = three_slots()
    held = factors.copy()
    held[:, 2] = 1.0
    given = {"continuous": True, "blocks": SLOTS, "metrics": ["sis"], "values_only": True}
    card = distaff.score(codes, held, groups=GROUPS, **given)
    kept = np.delete(held, 2, axis=1)
    assert card["sis"].value == sis(codes, kept, SLOTS, groups=[[0, 1], [2], [3, 4]], continuous=True)
    with pytest.raises(BadInput, match=r"^no factor of the group 2 varies; leave it out of groups$"):
        distaff.score(codes, held, groups=[[0, 1], [2]], **given)
    with pytest.raises(
        BadInput, match=r"^groups of factors are for blocks of codes, and no blocks are given$"
    ):
        distaff.score(codes, factors, groups=GROUPS, continuous=True)
    with pytest.raises(BadInput, match=r"^groups name columns of factors, and none are given$"):
        distaff.score(codes, blocks=SLOTS, groups=GROUPS)


def test_groups_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes, factors = (array[:90] for array in three_slots())
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "factors.npy", factors)
    words = ["score", tmp_path / "codes.npy", tmp_path / "factors.npy", "--metric", "sis", "--continuous"]
    words += ["--values-only", "--blocks", "0-3,4-7,8-11"]
    status, out, err = command(capsys, *words, "--groups", "0-1,2+3,4-5", "--json")
    assert status == 0, err
    expected = sis(codes, factors, SLOTS, groups=GROUPS, continuous=True)
    assert json.loads(out)["scores"]["sis"]["value"] == expected
    for groups, message in (
        ("0-1,1-2", "groups overlap: column 1 is in group 0 and group 1"),
        ("1-0", "--groups 1-0 is not allowed; a range goes up, as 0-1"),
        ("0,7", "unknown column of factors '7'"),
    ):
        status, out, err = command(capsys, *words, "--groups", groups)
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    codes, factors = CODES[:90], FACTORS[:90]
    np.save(tmp_path / "codes.npy", codes)
    np.save(tmp_path / "factors.npy", factors)
    words = ["score", tmp_path / "codes.npy", tmp_path / "factors.npy", "--metric", "block_leakage"]
    expected = distaff.score(codes, factors, blocks=BLOCKS, metrics="block_leakage", values_only=True)
    for blocks in ("0-1,2-3,4", "0+1, 2+3,4"):
        status, out, err = command(capsys, *words, "--blocks", blocks, "--values-only", "--json")
        assert status == 0, err
        assert json.loads(out)["scores"]["block_leakage"]["value"] == expected["block_leakage"].value
    for blocks, message in (
        ("0-2,2-4", "blocks overlap: column 2 is in block 0 and block 1"),
        ("0-1,2-7", "unknown column of codes '5'"),
        ("1-0,2", "--blocks 1-0 is not allowed; a range goes up, as 0-1"),
        ("0-1,,2", "block 1 is empty"),
    ):
        status, out, err = command(capsys, *words, "--blocks", blocks)
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1


def test_scores_of_single_codes_have_no_value_of_blocks() -> None:
    card = distaff.score(CODES, FACTORS, blocks=BLOCKS, metrics=["mig", "dci"], values_only=True)
    assert card["mig"].reason == "not applicable: it is of single codes, and blocks of codes are given"
    assert card["dci.disentanglement"].value is not None
    assert "; blocks of codes: " in str(card)
    every = distaff.score(CODES, FACTORS, blocks=BLOCKS, metrics="all", values_only=True)
    assert not any(name.startswith("mig") for name in every)
