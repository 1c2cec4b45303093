"""Judging representations: codes with known answers, plain NumPy statements, and the way to the report."""

import json
from pathlib import Path

import numpy as np
import pytest

import distaff
from distaff.cli import app
from distaff.datasets import ArrayImages
from distaff.errors import BadInput
from distaff.evaluation.desiderata import (
    desiderata,
    hoyer_sparsity,
    interpolation,
    knn_accuracy,
    principal_components,
    silhouette,
)

RNG = np.random.default_rng(0)
CLASSES = RNG.integers(0, 4, size=600)


def test_separable_classes_and_noise() -> None:
    apart = 20.0 * np.eye(4)[CLASSES] + RNG.standard_normal((600, 4))
    noise = RNG.standard_normal((600, 4))
    assert knn_accuracy(apart, CLASSES) == 1.0
    assert silhouette(apart, CLASSES) > 0.9
    assert knn_accuracy(noise, CLASSES) == pytest.approx(0.25, abs=0.1)
    assert silhouette(noise, CLASSES) == pytest.approx(0, abs=0.05)
    assert silhouette(noise, np.arange(600)) is None


def test_silhouette_against_its_definition() -> None:
    codes, classes = RNG.standard_normal((40, 3)), np.arange(40) % 3
    distances = np.sqrt(((codes[:, None] - codes[None]) ** 2).sum(axis=2))
    values = []
    for i in range(40):
        own = [distances[i, j] for j in range(40) if j != i and classes[j] == classes[i]]
        others = [distances[i, classes == c].mean() for c in range(3) if c != classes[i]]
        a, b = np.mean(own), min(others)
        values.append((b - a) / max(a, b))
    assert silhouette(codes, classes) == pytest.approx(np.mean(values), rel=1e-9)


def test_hoyer_sparsity() -> None:
    assert hoyer_sparsity(np.eye(5) * [1, -2, 3, 4, 1e-200]) == pytest.approx(1)
    assert hoyer_sparsity([[2, -2, 2, 2]]) == pytest.approx(0)
    codes = RNG.standard_normal((50, 7))
    norms = [np.linalg.norm(codes, order, axis=1) for order in (1, 2)]
    expected = ((np.sqrt(7) - norms[0] / norms[1]) / (np.sqrt(7) - 1)).mean()
    assert hoyer_sparsity(codes) == pytest.approx(expected)
    assert hoyer_sparsity(np.concatenate([codes, np.zeros((9, 7))])) == pytest.approx(expected)
    assert hoyer_sparsity(np.zeros((3, 4))) is None
    assert hoyer_sparsity(np.ones((3, 1))) is None


def test_interpolation_on_a_circle() -> None:
    """Points on a circle: midpoints of angles stay on it, midpoints of chords do not."""
    angles = RNG.uniform(0, np.pi, size=(400, 1))

    def drawn(angle: np.ndarray) -> np.ndarray:
        return (0.5 + 0.4 * np.concatenate([np.cos(angle), np.sin(angle)], axis=1))[:, None, None]

    found = interpolation(drawn, angles, drawn(angles))
    assert found["ratio"] < 0.2
    flat = drawn(angles).reshape(400, 2)
    linear = interpolation(lambda codes: codes[:, None, None], flat, drawn(angles))
    assert linear["ratio"] == pytest.approx(1)
    rng = np.random.default_rng(0)
    pairs = [rng.choice(400, size=2, replace=False) for _ in range(500)]
    nearest = [
        np.linalg.norm(np.delete(flat, pair, axis=0) - flat[pair].mean(axis=0), axis=1).min()
        for pair in pairs
    ]
    assert found["pixel"] == pytest.approx(np.mean(nearest))
    with pytest.raises(BadInput, match="at least 3 images"):
        interpolation(drawn, angles[:2], drawn(angles[:2]))


def test_principal_components_hold_the_largest_variance() -> None:
    points = RNG.standard_normal((200, 5)) * [5, 0.1, 3, 0.1, 0.1]
    plane = principal_components(points)
    values = np.linalg.eigvalsh(np.cov(points.T))[::-1][:2]
    np.testing.assert_allclose(plane.var(axis=0, ddof=1), values)
    assert principal_components(points[:, :1]).shape == (200, 2)


def test_from_the_command_to_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pca"
    distaff.train("pca", "digits", out=folder, latents=12, images=1000, threads=1, show=False)
    app(["evaluate", str(folder), "--desiderata"], standalone_mode=False)
    printed = capsys.readouterr().out
    row = next(line.split() for line in printed.splitlines() if line.startswith("k-NN of digit"))
    found = json.loads((folder / "desiderata.json").read_text())
    assert row[3:5] == [f"{found[key]:.3f}" for key in ("knn_accuracy", "knn_accuracy_of_pixel_plane")]
    assert "pixels' plane" in printed.splitlines()[0]
    assert found["knn_accuracy"] > found["knn_accuracy_of_pixel_plane"] + 0.1
    assert found["linear_probe"]["1000"] > found["linear_probe"]["10"]
    assert np.shape(found["views"]["tsne"]) == np.shape(found["views"]["pca"]) == (1000, 2)
    assert desiderata(folder) == found
    page = distaff.report(folder, show=False).read_text()
    assert "As a representation" in page
    assert "t-SNE" in page
    with pytest.raises(BadInput, match="unknown label 'digits'; did you mean 'digit'"):
        desiderata(folder, label="digits")
    with pytest.raises(BadInput, match="--label has no effect without --desiderata"):
        app(["evaluate", str(folder), "--label", "digit"], standalone_mode=False)
    with pytest.raises(BadInput, match="--desiderata takes --label and --seed alone"):
        app(["evaluate", str(folder), "--desiderata", "--all"], standalone_mode=False)
    (folder / "desiderata.json").write_text("[]")
    with pytest.raises(BadInput, match=r"desiderata.json is damaged"):
        distaff.report(folder, show=False)


def test_without_labels_or_decoder(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, size=(50, 16, 16), dtype=np.uint8)
    unlabelled, labelled = ArrayImages(images), ArrayImages(images, np.arange(50)[:, None] % 2)
    run = distaff.train("pca", unlabelled, out=tmp_path / "a", images=50, latents=2, threads=1, show=False)
    with pytest.raises(BadInput, match="arrays has no labels"):
        desiderata(run)
    run = distaff.train("pca", labelled, out=tmp_path / "b", images=50, latents=1, threads=1, show=False)
    found = desiderata(run)
    assert found["sparsity"] is None
    assert found["linear_probe"]["100"] is None
