from pathlib import Path

import numpy as np
import pytest

from distaff.datasets import load_dataset
from distaff.evaluation.orthogonality import (
    chance_distance,
    decoder_jacobians,
    distance_to_orthogonality,
    run_orthogonality,
)
from distaff.methods.base import Codes
from distaff.training.train import train


def test_orthogonal_columns_are_at_distance_zero() -> None:
    columns = np.linalg.qr(np.random.default_rng(0).standard_normal((20, 3)))[0]
    jacobian = columns * [3, -2, 1]
    assert distance_to_orthogonality([jacobian, jacobian[:, [2, 0, 1]]]) == pytest.approx(0, abs=1e-6)


def test_two_columns_turned_by_45_degrees() -> None:
    turn = np.array([[1, -1], [1, 1]]) / 2**0.5
    jacobian = np.eye(6)[:, :2] * [3, 1] @ turn
    # V is that rotation: each of its four entries is .707 from 0, or .293 from 1
    assert distance_to_orthogonality([jacobian]) == pytest.approx((2 * 0.5 + 2 * (1 - 0.5**0.5) ** 2) ** 0.5)


def test_jacobians_of_a_linear_decoder(tmp_path: Path) -> None:
    data = load_dataset("dsprites", resolution=16, x=8, y=8, orientation=1)
    run = train("pca", data, out=tmp_path / "run", latents=3, images=200, show=False)
    codes = run.encode(data.images(np.arange(5))).mean * 0
    atoms = run.method.atoms(run.modules)
    assert atoms is not None
    found = decoder_jacobians(run, codes)
    inside = found != 0  # PCA's images are cut to 0..1
    expected = np.broadcast_to(atoms.numpy().reshape(3, -1).T, found.shape)
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.01)
    assert inside.mean() > 0.3
    distance, chance = run_orthogonality(run, Codes(codes, None, codes))
    assert 0 <= distance <= 6**0.5
    assert chance == chance_distance(3)
    assert run_orthogonality(run, Codes(codes, np.log([[0.01, 1, 1]] * 5), codes)) == (0, 0)


def test_chance_is_that_of_random_directions() -> None:
    # two columns turned by an angle a from 0 to 45 degrees: the distance is 2 sqrt(2) sin(a / 2)
    angles = np.linspace(0, np.pi / 4, 10_001)
    assert chance_distance(2) == pytest.approx(np.mean(8**0.5 * np.sin(angles / 2)), rel=0.05)
    jacobians = np.random.default_rng(1).standard_normal((300, 4000, 5))
    assert distance_to_orthogonality(jacobians) == pytest.approx(chance_distance(5), rel=0.05)
