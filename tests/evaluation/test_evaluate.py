"""Evaluation: encoded once, scored once, the card kept."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import distaff
from distaff import registry
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation import encode
from distaff.evaluation.encode import encode_run
from distaff.evaluation.evaluate import read_card
from distaff.metrics.declare import metric
from distaff.scoring.protocols import settings_taken


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


def test_images_of_a_unit_are_held_out_together(copy: Path) -> None:
    card = distaff.evaluate(copy, units="x", metrics=["sap", "mig"], values_only=True, show=False)
    run = distaff.load_run(copy)
    labels, names = run.data.labels(np.arange(len(run.data))), list(run.data.label_names)
    codes = run.encode(run.data.images(np.arange(len(run.data)))).mean
    rest = [j for j, name in enumerate(names) if name != "x"]
    which = labels[:, names.index("x")]
    again = distaff.score(codes, labels[:, rest], units=which, metrics=["sap", "mig"], values_only=True)
    assert (card.protocol["units"], "x" in card.protocol["factors"]) == (len(np.unique(which)), False)
    assert card["mig"].value == pytest.approx(again["mig"].value, abs=1e-3)
    assert distaff.evaluate(copy, metrics=["sap", "mig"], values_only=True, show=False) != card
    with pytest.raises(BadInput, match="unknown column of labels 'y_'"):
        distaff.evaluate(copy, units="y_")


def test_rows_are_a_sample_without_replacement(copy: Path) -> None:
    rows = encode_run(distaff.load_run(copy), rows=500, show=False).rows
    assert len(np.unique(rows)) == 500
    assert rows.max() > 1000


def test_codes_stay_under_the_cap(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encode, "BYTES", 120 * 50)
    assert len(encode_run(distaff.load_run(copy), rows=None, show=False).rows) == 50


def test_data_without_labels_has_the_scores_that_need_none(tmp_path: Path) -> None:
    data = ArrayImages(np.random.default_rng(0).random((60, 16, 16)))
    run = distaff.train("vae", data, steps=5, out=tmp_path / "a", show=False)
    card = distaff.evaluate(run, show=False)
    alone = distaff.score(encode_run(run, show=False).mean)
    assert len(alone) > 0
    for name in alone:
        assert card[name] == alone[name]
        assert card[name].value is not None
    assert card["mig"].value is None
    assert card["mig"].reason == "not applicable: it needs labels, and the data set has none"
    assert json.loads((tmp_path / "a" / "scores.json").read_text())["scores"]["mig"]["value"] is None


def test_wrong_requests(copy: Path) -> None:
    with pytest.raises(BadInput, match="unknown representation 'mode'"):
        distaff.evaluate(copy, representation="mode", show=False)
    with pytest.raises(BadInput, match="rows=1 is not allowed"):
        distaff.evaluate(copy, rows=1, show=False)
    assert not (copy / "scores.json").exists()


def test_a_damaged_card_is_named_and_damaged_codes_are_made_again(copy: Path) -> None:
    card = distaff.evaluate(copy, rows=100, values_only=True, show=False)
    (copy / "scores.json").write_text("{}")
    with pytest.raises(BadInput, match=r"scores\.json is damaged; remove it"):
        distaff.evaluate(copy, rows=100, values_only=True, show=False)
    (copy / "scores.json").unlink()
    (copy / "encoding.npz").write_bytes(b"junk")
    assert distaff.evaluate(copy, rows=100, values_only=True, show=False) == card
    (copy / "scores.json").unlink()
    arrays = dict(np.load(copy / "encoding.npz"))
    np.savez(copy / "encoding.npz", **arrays | {"rows": np.zeros(100, dtype="i8,U1")})
    assert distaff.evaluate(copy, rows=100, values_only=True, show=False) == card


def test_a_card_by_other_defaults_is_made_anew(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as that kept when `dci` was by a forest, or one without a record of its settings."""
    given = {"metrics": ["dci", "mig"], "rows": 200, "values_only": True, "show": False}
    card = distaff.evaluate(copy, **given)
    assert card.protocol["settings"]["dci"]["learner"] == "boosting"
    assert card.protocol["settings"]["mig"] == {"bins": 20}
    kept = json.loads((copy / "scores.json").read_text())
    before = kept["protocol"]["settings"]
    for settings in (None, before | {"dci": before["dci"] | {"learner": "random_forest"}}):
        old = kept["protocol"] | {"settings": settings}
        if settings is None:
            del old["settings"]
        false = {"mig": kept["scores"]["mig"] | {"value": 0.875}}
        (copy / "scores.json").write_text(json.dumps(kept | {"scores": false, "protocol": old}))
        assert read_card(distaff.load_run(copy))["mig"].value == 0.875  # it can be read all the same
        assert distaff.evaluate(copy, **given) == card
    study = settings_taken(registry.get("metrics", "dci"), "locatello2019")
    assert study == kept["protocol"]["settings"]["dci"] | {
        "learner": "gradient_boosting",
        "rows": [10_000, 5_000],
    }


def test_a_metric_with_another_default_is_scored_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"metrics": "mig", "rows": 200, "values_only": True, "show": False}
    first, own = distaff.evaluate(copy, **given), registry.get("metrics", "mig")

    @metric(source="ours", truth={})
    def mig(codes: np.ndarray, factors: np.ndarray, *, bins: int = 5) -> float:
        return own.of_arrays(codes, factors, bins=bins)

    get = registry.get
    monkeypatch.setattr(registry, "get", lambda kind, name: mig if name == "mig" else get(kind, name))
    assert distaff.evaluate(copy, **given)["mig"].value != first["mig"].value
    monkeypatch.undo()
    assert distaff.evaluate(copy, **given) == first


def test_a_later_edition_of_a_metric_is_scored_again(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"metrics": "mig", "rows": 200, "values_only": True, "show": False}
    first, own = distaff.evaluate(copy, **given), registry.get("metrics", "mig")
    assert "edition" not in first.protocol["settings"]["mig"]

    @metric(source="ours", truth={}, edition=2)
    def mig(codes: np.ndarray, factors: np.ndarray, *, bins: int = 20) -> float:
        return own.of_arrays(codes, factors, bins=bins) / 2

    get = registry.get
    monkeypatch.setattr(registry, "get", lambda kind, name: mig if name == "mig" else get(kind, name))
    assert distaff.evaluate(copy, **given)["mig"].value == first["mig"].value / 2
    assert settings_taken(mig, None) == {"bins": 20, "edition": 2}


def test_the_seed_of_the_sample_counts(tmp_path: Path, copy: Path) -> None:
    shutil.copytree(copy, tmp_path / "other")
    distaff.evaluate(copy, rows=None, values_only=True, show=False)
    cards = [
        distaff.evaluate(run, rows=None, representation="sampled", seed=1, values_only=True, show=False)
        for run in (copy, tmp_path / "other")
    ]
    assert cards[0] == cards[1]


def test_labels_that_no_metric_takes_are_left_out_by_name(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.stack(
        [np.zeros(60), rng.random(60), rng.integers(2, size=60), rng.integers(3, size=60)], axis=1
    )
    data = ArrayImages(rng.random((60, 16, 16)), labels, names=["same", "real", "a", "b"])
    run = distaff.train("vae", data, steps=5, out=tmp_path / "a", show=False)
    card = distaff.evaluate(run, show=False)
    assert card.protocol["factors"] == ["a", "b"]
    assert card.protocol["left out"] == {
        "same": "a single value",
        "real": "not whole numbers; continuous=['real'] (--continuous real) takes it as it is",
    }
    assert "left out: same (a single value)" in str(card)
    assert "Left out: real (not whole numbers" in distaff.report(run, show=False).read_text()


def test_labels_that_are_real_numbers_or_words(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    kinds, real = rng.choice(["cat", "ape", "bee"], size=60), rng.random(60)
    data = ArrayImages(rng.random((60, 16, 16)), {"kind": kinds, "real": real, "n": rng.integers(4, size=60)})
    run = distaff.train("vae", data, steps=5, out=tmp_path / "a", show=False)
    codes, rows = encode_run(run, show=False).mean, encode_run(run, show=False).rows
    given = {"metrics": ["mig", "mcc"], "values_only": True, "show": False}
    card = distaff.evaluate(run, continuous=["real"], **given)
    assert card.protocol["factors"] == ["kind", "real", "n"]
    assert card.protocol["continuous"] == ["real"]
    assert card.protocol["words"] == {"kind": ["ape", "bee", "cat"]}
    assert "words have no order" in card["mcc"].reason
    columns = [kinds[rows], real[rows], data.labels(rows)[:, 2]]
    frame = pd.DataFrame(dict(zip(("kind", "real", "n"), columns, strict=True)))
    assert card["mig"].value == distaff.metrics.mig(codes, frame, continuous=["real"])
    assert distaff.evaluate(run, continuous=["real"], **given) == card
    ordered = distaff.evaluate(run, order={"kind": ["bee", "ape", "cat"]}, **given)
    assert ordered["mcc"].value is not None
    assert distaff.evaluate(run, **given).protocol["factors"] == ["kind", "n"]
    with pytest.raises(
        BadInput, match=r"column 'kind' holds words, such as '.*', and continuous factors are real"
    ):
        distaff.evaluate(run, continuous=True, **given)
    with pytest.raises(BadInput, match="unknown column of labels 'reel'; did you mean 'real'"):
        distaff.evaluate(run, continuous=["reel"], **given)


def test_data_that_changed_is_not_scored(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(300, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "a.npz", images=images, factors=rng.integers(3, size=(300, 2)))
    distaff.train("vae", tmp_path / "a.npz", steps=5, out=tmp_path / "run", show=False)
    distaff.evaluate(tmp_path / "run", values_only=True, show=False)
    np.savez(tmp_path / "a.npz", images=images, factors=rng.integers(3, size=(300, 2)))
    with pytest.raises(BadInput, match="is not the one"):
        distaff.evaluate(tmp_path / "run", values_only=True, show=False)
