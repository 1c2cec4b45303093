"""What counts as oriented, and the patches of photographs."""

import numpy as np
import pytest
import torch

from distaff.experiments.sparse_coding_recovery import (
    PENALTY,
    SIDE,
    octant_shares,
    on_support,
    photograph_patches,
)
from distaff.methods.ista import correlation, fista


def wave(degrees: float) -> np.ndarray:
    """A Gabor patch whose stripes run across a direction, flat (1, SIDE * SIDE)."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    along = x * np.cos(np.deg2rad(degrees)) + y * np.sin(np.deg2rad(degrees))
    return (np.cos(2 * np.pi * 0.25 * along) * np.exp(-(x**2 + y**2) / 18)).reshape(1, -1)


@pytest.mark.parametrize("degrees", [0, 22.5, 45, 67.5, 90, 100, 150])
def test_a_grating_is_oriented_whatever_its_direction(degrees: float) -> None:
    assert octant_shares(wave(degrees))[0] > 0.95
    assert octant_shares(3 - 2 * wave(degrees))[0] > 0.95


def test_two_crossed_gratings_a_point_and_white_noise_are_not() -> None:
    assert octant_shares(wave(20) + wave(110))[0] == pytest.approx(0.5, abs=0.05)
    point = np.zeros((SIDE, SIDE))
    point[5, 5] = 1
    assert octant_shares(point.reshape(1, -1))[0] == pytest.approx(0.25, abs=0.02)
    noise = np.random.default_rng(0).normal(size=(200, SIDE * SIDE))
    assert np.mean(octant_shares(noise) > 0.5) < 0.02


def test_the_share_is_its_definition() -> None:
    picture = np.random.default_rng(1).normal(size=SIDE * SIDE)
    spectrum: dict[float, float] = {}
    y, x = np.mgrid[:SIDE, :SIDE]
    centred = (picture - picture.mean()).reshape(SIDE, SIDE)
    for v in range(-32, 32):
        for u in range(-32, 32):
            if 0 < np.hypot(u, v) < 32:
                power = abs((centred * np.exp(-2j * np.pi * (u * x + v * y) / 64)).sum()) ** 2
                angle = np.arctan2(v, u) % np.pi
                spectrum[angle] = spectrum.get(angle, 0) + power
    angles, powers = np.array(list(spectrum)), np.array(list(spectrum.values()))
    best = max(powers[(angles - k * np.pi / 32) % np.pi < np.pi / 4].sum() for k in range(32))
    assert octant_shares(picture[None])[0] == pytest.approx(best / powers.sum(), abs=2e-3)


def test_patches_have_no_mean_and_bounded_contrast() -> None:
    patches = photograph_patches(300, 0).numpy()
    assert patches.shape == (300, SIDE * SIDE)
    np.testing.assert_allclose(patches.mean(axis=1), 0, atol=1e-12)
    spread = patches.std(axis=1)
    assert spread.max() < 1
    assert np.median(spread) == pytest.approx(1 / np.sqrt(1.1), rel=0.02)
    assert not np.array_equal(patches, photograph_patches(300, 1).numpy())
    np.testing.assert_array_equal(patches, photograph_patches(300, 0).numpy())


def test_only_the_minimum_meets_the_condition_on_the_support() -> None:
    generator = torch.Generator().manual_seed(0)
    dictionary = torch.nn.functional.normalize(torch.randn(4, 8, generator=generator).double(), dim=0)
    x = torch.randn(50, 4, generator=generator).double()
    minimum = fista(x, dictionary, PENALTY, 3000)
    least_squares = x @ torch.linalg.pinv(dictionary).T
    for h in (minimum, least_squares):
        assert correlation(x, dictionary, h).abs().max() <= PENALTY * (1 + 1e-6)
    assert on_support(x, dictionary, minimum) < 1e-6
    assert on_support(x, dictionary, least_squares) == pytest.approx(1)  # the gradient is 0, not the penalty


def test_the_condition_on_the_support_of_one_atom() -> None:
    """x = 1 and D = 1: the minimum is 1 - penalty, and h = 1 - penalty / 2 is half the penalty off."""
    one = torch.ones(1, 1).double()
    assert on_support(one, one, one - PENALTY) == pytest.approx(0, abs=1e-12)
    assert on_support(one, one, one - PENALTY / 2) == pytest.approx(0.5)
    assert on_support(-one, one, PENALTY - one) == pytest.approx(0, abs=1e-12)
