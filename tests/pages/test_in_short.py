"""The summary in words: what it says of codes whose content is known."""

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import distaff
from distaff.evaluation.encode import Encoding
from distaff.pages.in_short import in_short, listed, told_by
from distaff.pages.seen import Seen
from distaff.training.run import Run, load_run


def seen_of(run: Run, mean: np.ndarray, rows: np.ndarray, logvar: np.ndarray | None = None) -> Seen:
    """A run as if these were its codes."""
    mean = mean.astype(np.float32)
    logvar = np.full_like(mean, -3) if logvar is None else logvar.astype(np.float32)
    encoding = Encoding(rows, mean, logvar, mean)
    names = [f"z{j}" for j in range(mean.shape[1])]
    return Seen(run, None, encoding, np.arange(mean.shape[1]), names, [])


@pytest.fixture(scope="module")
def run(trained: Path) -> Run:
    return load_run(trained)


def rows_and_labels(run: Run, count: int = 3000) -> tuple[np.ndarray, np.ndarray]:
    rows = np.random.default_rng(0).choice(len(run.data), min(count, len(run.data)), replace=False)
    labels = run.data.labels(rows)
    assert labels is not None
    return rows, labels


def words(seen: Seen) -> str:
    return " ".join(in_short(seen).parts)


def test_latents_that_are_factors(run: Run) -> None:
    rows, labels = rows_and_labels(run)
    names = run.data.label_names
    seen = seen_of(run, labels[:, ::-1] - labels[:, ::-1].mean(axis=0), rows)
    told = told_by(seen)
    assert told is not None
    best = [told.latents[j] for j in told.shares.argmax(axis=0)]
    assert best == [f"z{len(names) - 1 - j}" for j in range(len(names))]
    assert (told.shares.max(axis=0) > 0.8).all()
    assert "at once" not in words(seen)
    assert "No latent tells" not in words(seen)


def test_noise_tells_nothing(run: Run) -> None:
    rows, labels = rows_and_labels(run)
    seen = seen_of(run, np.random.default_rng(1).standard_normal(labels.shape), rows)
    told = told_by(seen)
    assert told is not None
    assert np.abs(told.shares).max() < 0.05
    assert f"No latent tells {listed(run.data.label_names, 'or')}." in words(seen)


def test_a_factor_in_the_last_of_many_latents_is_found(run: Run) -> None:
    rows, labels = rows_and_labels(run, 600)
    noise = np.random.default_rng(1).standard_normal((len(rows), 130))
    noise[:, 129] = labels[:, 0]
    told = told_by(seen_of(run, noise, rows))
    assert told is not None
    assert told.latents[told.shares[:, 0].argmax()] == "z129"


def test_two_factors_in_one_latent_are_called_entangled(run: Run) -> None:
    rows, labels = rows_and_labels(run)
    first, second = labels[:, -1] - labels[:, -1].mean(), labels[:, -2] - labels[:, -2].mean()
    mixed = (first / first.std() + second / second.std())[:, None]
    seen = seen_of(run, np.hstack([mixed, np.random.default_rng(1).standard_normal((len(rows), 1))]), rows)
    assert "at once: they are entangled in it" in words(seen)
    assert "A larger beta, or another seed, may part what is entangled." in words(seen)


def test_nothing_active(run: Run) -> None:
    rows, labels = rows_and_labels(run)
    seen = seen_of(run, np.zeros(labels.shape), rows, np.zeros(labels.shape))
    assert "No latent is active: a smaller beta, or more steps." in words(seen)


def test_codes_without_labels(run: Run) -> None:
    rows, labels = rows_and_labels(run)
    data: Any = SimpleNamespace(label_names=[], labels=lambda rows: None)
    unlabelled: Any = SimpleNamespace(
        data=data, method=run.method, folder=run.folder, code_size=labels.shape[1], facts=run.facts
    )
    assert "without labels nothing here says what" in words(seen_of(unlabelled, labels * 1.0, rows))


def test_names_are_listed() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"], "or") == "a, b or c"


def test_several_runs_side_by_side(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        shutil.copytree(trained, tmp_path / name)
    other = load_run(trained)
    distaff.train(other.config.method, other.data, steps=5, seed=7, out=tmp_path / "c", threads=1, show=False)
    distaff.evaluate(tmp_path / "a", rows=500, metrics=["mig"], show=False)
    path = distaff.report("a", "c", out=tmp_path / "deep" / "both.html")
    text = path.read_text()
    assert "2 runs side by side" in text
    runs = text.partition("<h2>Runs</h2>")[2].partition("<details>")[0]
    assert "<td>seed</td>" in runs
    assert "<td>data set</td>" not in runs  # which they share
    assert "<code>distaff evaluate c</code> adds its scores." in text
    assert text.count("<img") >= 2
    assert distaff.report("a", "b") == Path("comparison.html")
    assert "They differ in nothing but their weights" in Path("comparison.html").read_text()
    with pytest.raises(distaff.BadInput, match="is given twice"):
        distaff.report("a", tmp_path / "a")


def test_the_best_is_bold_only_where_intervals_are_apart() -> None:
    from distaff.pages.comparison import _best
    from distaff.scoring.card import Score

    low, high = Score(0.1, 0.05, 0.15), Score(0.9, 0.85, 0.95)
    near = Score(0.86, 0.80, 0.92)
    assert _best([low, high]) == 1
    assert _best([low, high, near]) is None
    assert _best([low, None, high]) == 2
    assert _best([high]) is None
    assert _best([low, high, Score(0.99)]) is None  # of which no interval is known
    falling = [Score(s.value, s.low, s.high, higher_is_better=False) for s in (low, high)]
    assert _best(falling) == 0
