"""Evaluation: encoded once, scored once, the card kept."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import distaff
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation import encode
from distaff.evaluation.encode import encode_run


@pytest.fixture
def copy(tmp_path: Path, trained: Path) -> Path:
    """A copy of the small run, without what was derived from it."""
    shutil.copytree(trained, tmp_path / "run")
    for name in ("scores.json", "encoding.npz", "report.html"):
        (tmp_path / "run" / name).unlink(missing_ok=True)
    return tmp_path / "run"


def test_the_card_is_kept_and_equals_the_functions(copy: Path) -> None:
    card = distaff.evaluate(copy, values_only=True, show=False)
    run = distaff.load_run(copy)
    index = np.arange(len(run.data))
    codes = run.encode(run.data.images(index)).mean
    assert card["mig"].value == pytest.approx(distaff.metrics.mig(codes, run.data.labels(index)), abs=1e-3)
    assert card.protocol["rows"] == len(run.data)
    stamp = (copy / "scores.json").stat().st_mtime_ns
    assert distaff.evaluate(copy, values_only=True, show=False) == card
    assert (copy / "scores.json").stat().st_mtime_ns == stamp


def test_encoded_once_for_every_representation(copy: Path) -> None:
    distaff.evaluate(copy, rows=400, values_only=True, show=False)
    stamp = (copy / "encoding.npz").stat().st_mtime_ns
    sampled = distaff.evaluate(copy, rows=400, representation="sampled", values_only=True, show=False)
    assert sampled.protocol["representation"] == "sampled"
    assert {"scores.json", "scores_sampled.json"} <= {p.name for p in copy.iterdir()}
    assert (copy / "encoding.npz").stat().st_mtime_ns == stamp


def test_other_rows_are_encoded_again(copy: Path) -> None:
    assert distaff.evaluate(copy, rows=100, values_only=True, show=False).protocol["rows"] == 100
    assert distaff.evaluate(copy, rows=200, values_only=True, show=False).protocol["rows"] == 200
    assert len(np.load(copy / "encoding.npz")["rows"]) == 200


def test_rows_are_a_sample_without_replacement(copy: Path) -> None:
    rows = encode_run(distaff.load_run(copy), rows=500, show=False).rows
    assert len(np.unique(rows)) == 500
    assert rows.max() > 1000


def test_codes_stay_under_the_cap(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "BYTES", 120 * 50)
    assert len(encode_run(distaff.load_run(copy), rows=None, show=False).rows) == 50


def test_data_without_labels_is_not_scored_and_says_why(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("vae", data, steps=5, out=tmp_path / "a", show=False)
    card = distaff.evaluate(run, show=False)
    assert card["mig"].value is None
    assert card["mig"].reason == "it needs labels, and the data set has none"
    assert json.loads((tmp_path / "a" / "scores.json").read_text())["scores"]["mig"]["value"] is None


def test_wrong_requests(copy: Path) -> None:
    with pytest.raises(BadInput, match="unknown representation 'mode'"):
        distaff.evaluate(copy, representation="mode", show=False)
    with pytest.raises(BadInput, match="rows=1 is not allowed"):
        distaff.evaluate(copy, rows=1, show=False)
    assert not (copy / "scores.json").exists()


@pytest.mark.parametrize("name", ["scores.json", "encoding.npz"])
def test_damaged_files(copy: Path, name: str) -> None:
    distaff.evaluate(copy, rows=100, values_only=True, show=False)
    (copy / name).write_text("{}")
    if name == "encoding.npz":
        (copy / "scores.json").unlink()
    with pytest.raises(BadInput, match=name.replace(".", r"\.")):
        distaff.evaluate(copy, rows=100, values_only=True, show=False)
