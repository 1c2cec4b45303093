"""Latents against the factors of their groups, and images re-rendered, with codes that are made by hand."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from distaff.datasets import load_dataset
from distaff.experiments import dc_ign_faces, rerendered
from distaff.experiments.dc_ign_equivariance import correlations
from distaff.methods.base import Codes


def made() -> tuple[np.ndarray, np.ndarray]:
    """Codes (n, 4): y, -2 x + 1, a curve of scale and noise; and the truth (n, 3): x, y, scale."""
    truth = np.stack(np.meshgrid(*3 * [np.linspace(0, 1, 12)]), axis=-1).reshape(-1, 3)  # a grid: no chance
    noise = np.random.default_rng(1).standard_normal(len(truth))
    codes = np.stack([truth[:, 1], 1 - 2 * truth[:, 0], np.exp(9 * truth[:, 2]), noise], axis=1)
    return codes.astype(np.float32), truth


def test_lines_are_found_by_pearson_and_a_curve_of_scale_by_rank() -> None:
    codes, truth = made()
    found = correlations(codes, truth)
    expected = np.zeros((3, 3))
    expected[0, 1] = expected[1, 0] = expected[2, 2] = 1
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert found[2, 2] == pytest.approx(1)
    assert np.corrcoef(codes[:, 2], truth[:, 2])[0, 1] < 0.8  # a line would not do


def test_a_dead_latent_follows_nothing() -> None:
    codes, truth = made()
    codes[:, 0] = 3
    assert correlations(codes, truth)[0].max() == 0


def test_of_faces_each_latent_is_held_against_its_own_angle() -> None:
    codes, angles = made()
    codes[:, 2] = -angles[:, 2]
    found = dc_ign_faces.correlations(codes, angles)
    np.testing.assert_allclose(found, [0, 0, 1], atol=1e-6)
    found = dc_ign_faces.correlations(codes[:, [1, 0, 2, 3]], angles)
    np.testing.assert_allclose(found, [1, 1, 1], atol=1e-6)


@pytest.mark.parametrize(
    ("latent", "expected"),
    [
        (lambda aside: 3 - 2 * aside, 0.0),  # a line
        (np.sign, 1 - 1.5 * 11 / 21),  # the side alone: one line explains mean(|a|)^2 / mean(a^2)
        (np.abs, 1.0),  # how far the face turns, but not where to
        (np.zeros_like, 0.0),
    ],
)
def test_a_switch_is_what_a_line_for_each_side_explains(latent: Callable[..., Any], expected: float) -> None:
    azimuth = np.repeat(np.arange(21), 7)
    found = dc_ign_faces.switch(latent(azimuth - 10.0).astype(np.float32), azimuth)
    assert found == pytest.approx(expected, abs=1e-6)


class Perfect:
    """A run that knows every image of a grid: its codes are x, y and the number of everything else."""

    def __init__(self, **options: Any) -> None:
        self.data = load_dataset("dsprites", resolution=16, **options)
        self.space = self.data.factors
        self.images = self.data.images(np.arange(len(self.data)))
        self.places = {image.tobytes(): n for n, image in enumerate(self.images)}
        self.rows = self.space.rows(np.arange(len(self.data)))

    def encode(self, images: np.ndarray) -> Codes:
        rows = self.rows[[self.places[image.tobytes()] for image in images]]
        x, y, scale = (rows[:, self.space.position(name)] for name in ("x", "y", "scale"))
        return Codes(np.stack([2 - 3 * x, y, scale], axis=1).astype(np.float32), None, None)

    def decode(self, codes: np.ndarray) -> np.ndarray:
        rows = np.empty((len(codes), len(self.space.names)), dtype=int)
        found = {"x": (2 - codes[:, 0]) / 3, "y": codes[:, 1], "scale": codes[:, 2]}
        for name, values in found.items():
            rows[:, self.space.position(name)] = np.rint(values)
        return self.data.unit_images(self.space.index(rows))


def test_moving_the_right_latent_renders_the_truth_and_a_dead_one_does_nothing() -> None:
    fixed = {"shape": [0], "orientation": 1, "x": 4, "y": 4}
    run = Perfect(**fixed)
    held = load_dataset("dsprites", resolution=16, **fixed, scale=[2, 4])
    rows = np.arange(len(held))
    np.testing.assert_allclose(rerendered.latent_at(run, 0, "x"), [2, -1, -4, -7])
    assert rerendered.moved(run, held, rows, ("x", "y")) == [0, 0]
    assert rerendered.moved_over_left(run, held, rows, 1, "x") > 1, "a move of y makes it no better"
    dead = Perfect(**fixed)
    dead.encode = lambda images: Codes(run.encode(images).mean * np.array([1, 0, 1], np.float32), None, None)
    assert rerendered.moved_over_left(dead, held, rows, 1, "y") == pytest.approx(1)
