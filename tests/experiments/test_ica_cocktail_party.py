"""The numbers of the cocktail party against statements of their own."""

import numpy as np
import pytest

from distaff.experiments.ica_cocktail_party import amari_index, matched_correlation, total_correlation


def test_the_amari_index_is_0_for_permutations_with_scales_and_1_for_equal_entries() -> None:
    assert amari_index(np.eye(4)[[2, 0, 3, 1]] * (3.0, -1.0, 0.1, 7.0)) == 0
    assert amari_index(np.ones((4, 4))) == pytest.approx(1)


def test_the_amari_index_is_its_formula() -> None:
    m = np.random.default_rng(0).normal(size=(3, 3))
    rows = sum(sum(abs(m[i, j]) for j in range(3)) / max(abs(m[i])) - 1 for i in range(3))
    columns = sum(sum(abs(m[i, j]) for i in range(3)) / max(abs(m[:, j])) - 1 for j in range(3))
    assert amari_index(m) == pytest.approx((rows + columns) / 12)


def test_codes_are_matched_with_sources_one_to_one() -> None:
    z = np.random.default_rng(0).normal(size=(5000, 3))
    assert matched_correlation(-2 * z[:, [2, 0, 1]], z) == pytest.approx(1)
    blend = z[:, 0] + z[:, 1]
    both = np.stack([z[:, 0], blend, z[:, 2]], axis=1)
    assert matched_correlation(both, z) == pytest.approx(abs(np.corrcoef(blend, z[:, 1])[0, 1]))


def test_the_total_correlation_is_the_known_one_of_gaussians() -> None:
    rng = np.random.default_rng(0)
    z, m = rng.normal(size=(50_000, 3)), rng.normal(size=(3, 3))
    covariance = m @ m.T
    exact = (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1]) / 2
    assert total_correlation(m, z) == pytest.approx(exact, abs=0.03)
    assert exact > 0.1


def test_rotated_laplace_sources_are_dependent_though_uncorrelated() -> None:
    z = np.random.default_rng(0).laplace(size=(50_000, 2))
    turn = np.array([[1.0, -1.0], [1.0, 1.0]])
    # the sum of two Laplace variables of scale 1 has the density (1 + |s|) exp(-|s|) / 4
    s = np.linspace(-60, 60, 1_200_001)
    density = (1 + np.abs(s)) * np.exp(-np.abs(s)) / 4
    entropy = -(density * np.log(density)).sum() * (s[1] - s[0])
    exact = 2 * entropy - 2 * (1 + np.log(2)) - np.log(2)
    assert total_correlation(turn, z) == pytest.approx(exact, abs=0.03)
    assert exact > 0.05
    assert total_correlation(np.diag([3.0, -0.5]), z) == pytest.approx(0, abs=1e-9)
