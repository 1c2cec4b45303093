"""HFS-VAE: the distance of the supports against loops and against SciPy's Hausdorff distance."""

import itertools

import numpy as np
import pytest
import torch
from given import regulariser
from scipy.spatial.distance import directed_hausdorff

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.base import Codes
from distaff.methods.beta_vae import BetaVAE
from distaff.methods.hfs_vae import HFSVAE, support_distance

RNG = np.random.default_rng(0)
N, D = 5, 4
CODES = RNG.standard_normal((N, D))
PAIRS = list(itertools.combinations(range(D), 2))


def exact_squared(codes: np.ndarray, a: int, b: int) -> float:
    """Squared Hausdorff distance from the product of two latents' values to the pairs that occur."""
    product = np.array(list(itertools.product(codes[:, a], codes[:, b])))
    return directed_hausdorff(product, codes[:, [a, b]])[0] ** 2


def every_point(n: int, pairs: int) -> np.ndarray:
    """All n^2 rows to take the two latents from, for every pair of latents."""
    return np.repeat(np.array(list(itertools.product(range(n), repeat=2)))[:, None], pairs, axis=1)


def distance(codes: np.ndarray, pairs: list[tuple[int, int]], points: np.ndarray) -> float:
    return float(support_distance(torch.tensor(codes), torch.tensor(pairs), torch.tensor(points)))


def test_the_farthest_sampled_points_nearest_code_summed_over_pairs() -> None:
    points = RNG.integers(N, size=(7, len(PAIRS), 2))
    total = 0.0
    for p, (a, b) in enumerate(PAIRS):
        farthest = 0.0
        for i, j in points[:, p]:
            corner = CODES[i, a], CODES[j, b]
            nearest = min((corner[0] - z[a]) ** 2 + (corner[1] - z[b]) ** 2 for z in CODES)
            farthest = max(farthest, nearest)
        total += farthest
    assert distance(CODES, PAIRS, points) == pytest.approx(total, rel=1e-5)


def test_all_points_give_the_squared_hausdorff_distance() -> None:
    expected = sum(exact_squared(CODES, a, b) for a, b in PAIRS)
    assert distance(CODES, PAIRS, every_point(N, len(PAIRS))) == pytest.approx(expected, rel=1e-5)


def test_sampled_points_lie_below_the_distance_and_reach_it() -> None:
    exact = distance(CODES, PAIRS, every_point(N, len(PAIRS)))
    rng = np.random.default_rng(1)
    found = [distance(CODES, PAIRS, rng.integers(N, size=(size, len(PAIRS), 2))) for size in (1, 3, 10, 2000)]
    assert max(found) <= exact
    assert found[-1] == exact


def test_a_product_grid_has_no_distance() -> None:
    grid = np.array(list(itertools.product([-1.0, 0.3, 2.0], [0.0, 0.5], [4.0, 7.0, 9.0])))
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert distance(grid, pairs, every_point(len(grid), 3)) == 0


def test_a_diagonal_has_the_distance_of_its_corners() -> None:
    diagonal = np.repeat(np.linspace(0, 1, 11)[:, None], 2, axis=1)
    assert distance(diagonal, [(0, 1)], every_point(11, 1)) == pytest.approx(0.5)  # (0, 1) to (.5, .5)


def test_rotation_is_seen_and_density_is_not() -> None:
    grid = np.array(list(itertools.product(np.linspace(-1, 1, 5), repeat=2)))
    turned = grid @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    uneven = np.concatenate([grid, np.repeat(grid[[0, 6, 12, 18, 24]], 20, axis=0)])  # correlated
    assert np.corrcoef(uneven.T)[0, 1] > 0.5
    assert distance(uneven, [(0, 1)], every_point(len(uneven), 1)) == 0
    assert distance(turned, [(0, 1)], every_point(len(turned), 1)) > 0.1


def of_codes(method: HFSVAE, seed: int) -> tuple[float, dict[str, float]]:
    logvar = torch.zeros(N, D, dtype=torch.float64)
    codes = Codes(torch.tensor(CODES), logvar, torch.full((N, D), 1e3))
    batch = Batch(torch.zeros(N, 1, 4, 4), 100)
    total, terms = regulariser(method, batch, codes, torch.Generator().manual_seed(seed))
    terms.pop("reconstruction")
    return float(total), {name: float(value) for name, value in terms.items()}


def test_the_regulariser_is_beta_kl_plus_gamma_support_of_the_means() -> None:
    kl = sum(0.5 * z**2 for z in CODES.flat) / N
    support = sum(exact_squared(CODES, a, b) for a, b in PAIRS)
    total, terms = of_codes(HFSVAE(beta=2.0, gamma=30.0, support_samples=2000), 0)
    assert terms == pytest.approx({"kl": kl, "support": support}, rel=1e-5)
    assert total == pytest.approx(2 * kl + 30 * support, rel=1e-5)


def test_every_pair_of_latents_is_drawn_as_often() -> None:
    method = HFSVAE(latent_pairs=1, support_samples=500)
    each = [exact_squared(CODES, a, b) for a, b in PAIRS]
    found = np.array([of_codes(method, seed)[1]["support"] for seed in range(300)])
    counts = [int(np.isclose(found, value, rtol=1e-5).sum()) for value in each]
    assert sum(counts) == 300
    assert min(counts) > 300 / len(PAIRS) - 4 * np.sqrt(300 / len(PAIRS))


def test_pairs_are_drawn_without_replacement() -> None:
    each = [exact_squared(CODES, a, b) for a, b in PAIRS]
    method = HFSVAE(latent_pairs=5, support_samples=2000)
    for seed in range(20):
        support = of_codes(method, seed)[1]["support"]
        assert any(support == pytest.approx(sum(each) - left, rel=1e-5) for left in each)


def test_gamma_0_is_a_beta_vae() -> None:
    images = torch.rand((6, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    losses = []
    for method in (BetaVAE(beta=3.0), HFSVAE(beta=3.0, gamma=0.0)):
        state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
        loss = method.loss(state.modules, Batch(images, 100), torch.Generator().manual_seed(2))
        losses.append(float(loss.total.detach()))
    assert losses[0] == losses[1]


def test_the_gradient_is_that_of_finite_differences() -> None:
    points = every_point(N, len(PAIRS))
    codes = torch.tensor(CODES, requires_grad=True)
    support_distance(codes, torch.tensor(PAIRS), torch.tensor(points)).backward()
    for place in np.ndindex(N, D):
        moved = []
        for sign in (1, -1):
            values = CODES.copy()
            values[place] += sign * 1e-6
            moved.append(distance(values, PAIRS, points))
        assert float(codes.grad[place]) == pytest.approx((moved[0] - moved[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_one_latent_has_no_pairs() -> None:
    with pytest.raises(BadInput, match="latents=1 is out of range"):
        HFSVAE(latents=1)
