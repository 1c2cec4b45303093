"""AnnealedVAE: gamma |KL - C| against plain NumPy, and the capacity as a schedule."""

import math

import numpy as np
import pytest
import torch
from given import regulariser

from distaff.batches.batch import Batch, Facts
from distaff.methods.annealed_vae import AnnealedVAE
from distaff.methods.base import Codes
from distaff.methods.vae import VAE

RNG = np.random.default_rng(0)
MEAN, LOGVAR = RNG.standard_normal((7, 4)), 0.7 * RNG.standard_normal((7, 4))
BATCH = Batch(torch.zeros(7, 1, 4, 4), 100)


def kl_of_images() -> list[float]:
    """KL to the standard normal of every image, latent by latent."""
    found = []
    for means, logvars in zip(MEAN, LOGVAR, strict=True):
        total = 0.0
        for m, lv in zip(means, logvars, strict=True):
            s = math.sqrt(math.exp(lv))
            total += math.log(1 / s) + (s**2 + m**2) / 2 - 1 / 2
        found.append(total)
    return found


def of_codes(method: VAE) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    codes = Codes(torch.tensor(MEAN), torch.tensor(LOGVAR), torch.tensor(MEAN))
    return regulariser(method, BATCH, codes)


@pytest.mark.parametrize("capacity", [0.0, 1.5, 3.0, 25.0])
def test_the_distance_of_the_batch_mean_of_the_kl_from_the_capacity(capacity: float) -> None:
    kl = sum(kl_of_images()) / 7
    found, terms = of_codes(AnnealedVAE(gamma=30.0, capacity=capacity))
    assert float(found) == pytest.approx(30 * abs(kl - capacity), rel=1e-5)
    assert float(terms["kl"]) == pytest.approx(kl, rel=1e-5)
    assert float(terms["capacity"]) == capacity


def test_the_distance_is_not_taken_image_by_image() -> None:
    capacity = sum(kl_of_images()) / 7
    of_images = sum(abs(kl - capacity) for kl in kl_of_images()) / 7
    assert of_images > 0.5
    assert float(of_codes(AnnealedVAE(gamma=1.0, capacity=capacity))[0]) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("step", [0, 1, 4_000, 25_000, 99_999, 100_000, 300_000])
def test_the_capacity_grows_linearly_and_stays(step: int) -> None:
    capacity = min(25.0, 25.0 * step / 100_000)
    found, terms = of_codes(AnnealedVAE().at(step))
    assert float(terms["capacity"]) == pytest.approx(capacity, rel=1e-12)
    assert float(found) == pytest.approx(1000 * abs(sum(kl_of_images()) / 7 - capacity), rel=1e-5)


@pytest.mark.parametrize(("capacity", "sign"), [(0.1, 1), (20.0, -1)])
def test_below_the_capacity_the_kl_is_pushed_up_and_above_it_down(capacity: float, sign: int) -> None:
    mean = torch.tensor(MEAN, requires_grad=True)
    codes = Codes(mean, torch.tensor(LOGVAR), mean)
    method = AnnealedVAE(gamma=5.0, capacity=capacity)
    regulariser(method, BATCH, codes)[0].backward()
    np.testing.assert_allclose(mean.grad, sign * 5 * MEAN / 7, rtol=1e-5)  # d KL / d m is m


def test_a_step_minimises_reconstruction_plus_the_distance_at_its_own_capacity() -> None:
    method = AnnealedVAE(latents=3, gamma=10.0, capacity="linear:0:8:4")
    state = method.state(Facts((1, 16, 16), 100), torch.Generator().manual_seed(0))
    images = torch.rand((5, 1, 16, 16), generator=torch.Generator().manual_seed(1))
    for step, capacity in enumerate((0, 2, 4, 6, 8, 8)):
        terms = method.at(step).step(state, Batch(images, 100), torch.Generator().manual_seed(step))
        expected = float(terms["reconstruction"]) + 10 * abs(float(terms["kl"]) - capacity)
        assert float(terms["loss"]) == pytest.approx(expected, rel=1e-5)
