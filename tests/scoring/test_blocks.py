"""The card of blocks of codes, from Python and from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import distaff as command
from metrics.test_blocks import BLOCKS, CODES, FACTORS

import distaff
from distaff.metrics import block_information, block_leakage
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
