"""The card of blocks of a run's codes: columns that are given, and the method's own."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import distaff as command

import distaff
from distaff.batches.batch import Facts
from distaff.errors import BadInput
from distaff.evaluation.evaluate import blocks_of
from distaff.methods.dc_ign import DCIGN
from distaff.methods.disbm import DisBM
from distaff.methods.info_gan import InfoGAN
from distaff.methods.vae import VAE

FACTS = Facts((1, 16, 16), 12, factors=(2, 3, 2))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of disbm, whose units are of two groups."""
    folder = tmp_path_factory.mktemp("blocks") / "run"
    distaff.train("disbm", "one_square", steps=2, latents=4, pairs="none", out=folder, show=False)
    return folder


def test_a_run_is_scored_as_its_codes_are(machine: Path) -> None:
    run = distaff.load_run(machine)
    index = np.arange(len(run.data))
    codes = run.encode(run.data.images(index)).mean
    expected = distaff.metrics.block_leakage(codes, run.data.labels(index), [[0, 1], [2, 3]])
    for blocks in ([[0, 1], [2, 3]], {"h": ["h1", "h2"], "m": ["m1", "m2"]}, "own"):
        card = distaff.evaluate(run, blocks=blocks, metrics="block_leakage", values_only=True, show=False)
        assert card["block_leakage"].value == pytest.approx(expected, abs=1e-6)
        assert card.protocol["blocks"] == [[0, 1], [2, 3]]


def test_the_card_of_blocks_has_their_scores_and_is_kept(machine: Path) -> None:
    run = distaff.load_run(machine)
    card = distaff.evaluate(run, blocks="own", rows=60, values_only=True, show=False)
    names = ["dci", "block_informativeness", "block_leakage", "block_information", "sis", "block_mcc"]
    assert list(dict.fromkeys(name.partition(".")[0] for name in card)) == names
    stamp = (machine / "scores.json").stat().st_mtime_ns
    same = distaff.evaluate(run, blocks=[[0, 1], [2, 3]], rows=60, values_only=True, show=False)
    assert same == card
    assert (machine / "scores.json").stat().st_mtime_ns == stamp
    other = distaff.evaluate(run, blocks=[[0, 2], [1, 3]], rows=60, values_only=True, show=False)
    assert other.protocol["blocks"] == [[0, 2], [1, 3]], "a kept card is of other blocks"
    assert "mig" in distaff.evaluate(run, rows=60, values_only=True, show=False)


def test_groups_of_labels_are_kept_with_the_card(machine: Path) -> None:
    run = distaff.load_run(machine)
    names, index = run.data.label_names, np.arange(len(run.data))
    given = {"blocks": "own", "metrics": "block_mcc", "rows": None, "values_only": True, "show": False}
    card = distaff.evaluate(run, groups=[[1, 0]], **given)
    assert card.protocol["groups"] == [[names[1], names[0]]]
    codes = run.encode(run.data.images(index)).mean
    expected = distaff.metrics.block_mcc(codes, run.data.labels(index), [[0, 1], [2, 3]], groups=[[0, 1]])
    assert card["block_mcc"].value == pytest.approx(expected, abs=1e-6)
    assert distaff.evaluate(run, groups=[[names[1], names[0]]], **given) == card
    assert distaff.evaluate(run, **given).protocol["groups"] is None
    with pytest.raises(BadInput, match="unknown column of factors '9'"):
        distaff.evaluate(run, groups=[[9]], **given)


def test_from_the_command_line(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", machine, "--metric", "block_leakage", "--values-only"]
    found = []
    for blocks in ("0-1,2-3", "h1+h2,m1+m2", "own"):
        status, out, err = command(capsys, *words, "--blocks", blocks, "--json")
        assert status == 0, err
        found.append(json.loads(out))
    assert found[0] == found[1] == found[2]
    kept = (machine / "scores.json").read_bytes()
    for blocks, message in (
        ("0-1,1-3", "blocks overlap: column h2 is in block 0 and block 1"),
        ("0-1,h9", "unknown column of codes 'h9'"),
        ("0-3", "at least 2 blocks are needed, got 1"),
    ):
        status, out, err = command(capsys, *words, "--blocks", blocks)
        assert (status, out) == (2, "")
        assert message in err
        assert err.count("\n") == 1
    assert (machine / "scores.json").read_bytes() == kept
    status, out, err = command(capsys, "evaluate", machine, "--blocks", "own", "--desiderata")
    assert (status, out) == (2, "")


def test_a_method_without_blocks_says_so(trained: Path) -> None:
    with pytest.raises(BadInput, match="have no blocks of their own; name columns, as in 0-3,4-9"):
        blocks_of(distaff.load_run(trained), "own")


def test_the_blocks_of_methods() -> None:
    def listed(method: VAE | DisBM | InfoGAN) -> dict[str, list[int]]:
        return {name: list(columns) for name, columns in method.blocks(FACTS).items()}

    assert listed(VAE(latents=3)) == {}
    assert listed(DisBM(latents=5)) == {"h": [0, 1], "m": [2, 3, 4]}
    assert listed(DCIGN(latents=5)) == {"g0": [0], "g1": [1], "g2": [2, 3, 4]}
    assert listed(DCIGN(latents=5, groups="a;b,c")) == {"g0": [0], "g1": [1, 2, 3, 4]}
    gan = InfoGAN(latents=2, categorical=1, categories=3)
    assert listed(gan) == {"k1": [0, 1, 2], "c1": [3], "c2": [4]}
    assert listed(InfoGAN(latents=2, categorical=0)) == {}
