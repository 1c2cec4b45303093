"""What the lessons measure, on points and layers whose answer is known."""

import numpy as np
import pytest

from distaff.experiments.autoencoder_lessons import _points, _probe, _tied, against_pca


def plane() -> tuple[np.ndarray, np.ndarray]:
    """Points (500, 5) whose principal directions are the first axes, and what the first two keep of them."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((500, 5)) * [3, 2, 0.1, 0.1, 0.1]
    x -= x.mean(axis=0)
    axes = np.linalg.svd(x, full_matrices=False)[2]
    return x @ axes.T, (x @ axes.T) * [1, 1, 0, 0, 0]


def test_weights_that_span_the_plane_are_at_no_angle_whatever_their_basis() -> None:
    x, kept = plane()
    weights = np.eye(5)[:, :2] @ np.array([[2.0, 1.0], [0.5, -3.0]])
    angle, ratio, pca, error = against_pca(x, weights, kept).values()
    assert angle == pytest.approx(0, abs=1e-5)
    assert ratio == pytest.approx(1)
    assert pca == pytest.approx(error)
    assert pca == pytest.approx((x[:, 2:] ** 2).sum(axis=1).mean())


@pytest.mark.parametrize("degrees", [5, 30, 90])
def test_the_angle_is_the_one_that_a_direction_is_turned_by(degrees: float) -> None:
    x, kept = plane()
    weights = np.eye(5)[:, :2]
    weights[1, 1], weights[4, 1] = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    assert against_pca(x, weights, kept)["angle"] == pytest.approx(degrees)


def test_an_output_of_zeros_costs_the_whole_variance() -> None:
    x, kept = plane()
    _, ratio, pca, error = against_pca(x, np.eye(5)[:, :2], np.zeros_like(kept)).values()
    assert error == pytest.approx((x**2).sum(axis=1).mean())
    assert ratio == pytest.approx(error / pca)


def test_points_lie_near_a_plane_of_three_dimensions() -> None:
    values = np.linalg.eigvalsh(np.cov(_points(0).flatten(1).numpy().T))[::-1]
    np.testing.assert_allclose(np.sqrt(values), [0.16, 0.14, 0.12] + 7 * [0.03], rtol=0.1)


def test_a_probe_tells_what_is_linear_and_guesses_what_is_noise() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=600)
    codes = np.stack([labels + 0.01 * rng.standard_normal(600), rng.standard_normal(600)], axis=1)
    assert _probe([codes[:300], codes[300:]], labels) == 1
    assert _probe([codes[:300, 1:], codes[300:, 1:]], labels) == pytest.approx(0.5, abs=0.1)


def test_what_a_tied_network_equals_it_equals_for_every_seed() -> None:
    for seed in range(3):
        transpose, gradient, ista = _tied(seed).values()
        assert transpose == 0
        assert gradient < 1e-6
        assert ista < 1e-6
