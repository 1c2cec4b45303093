"""Correlations of latents with the factors of their groups, on codes that are made by hand."""

import numpy as np
import pytest

from distaff.experiments import dc_ign_faces
from distaff.experiments.dc_ign_equivariance import correlations


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
    found = dc_ign_faces._correlations(codes, angles)
    np.testing.assert_allclose(found, [0, 0, 1], atol=1e-6)
    found = dc_ign_faces._correlations(codes[:, [1, 0, 2, 3]], angles)
    np.testing.assert_allclose(found, [1, 1, 1], atol=1e-6)
