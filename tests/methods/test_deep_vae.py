"""Deep VAE: one layer is the VAE, and its terms against statements in plain NumPy."""

import numpy as np
import pytest
import torch
from scipy.stats import norm

from distaff.batches.batch import Batch, Facts
from distaff.methods.deep_vae import DeepVAE
from distaff.methods.vae import VAE

FACTS = Facts((1, 16, 16), 100)
IMAGES = torch.rand((6, 1, 16, 16), generator=torch.Generator().manual_seed(1))


def made(method):
    return method.state(FACTS, torch.Generator().manual_seed(0)).modules


def test_one_layer_is_the_vae() -> None:
    found = []
    for method in (VAE(latents=4), DeepVAE(latents=4, layers=1)):
        modules = made(method)
        loss = method.loss(modules, Batch(IMAGES, 100), torch.Generator().manual_seed(2))
        gradients = torch.autograd.grad(loss.total, list(modules.parameters()))
        found.append((loss.total, loss.terms.keys(), gradients))
    assert torch.equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert all(torch.equal(a, b) for a, b in zip(found[0][2], found[1][2], strict=True))


def gaussian(module: torch.nn.Module, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and deviation that a network gives, by NumPy."""
    first, _, last = module
    hidden = np.tanh(values @ first.weight.detach().numpy().T + first.bias.detach().numpy())
    mean, logvar = np.split(hidden @ last.weight.detach().numpy().T + last.bias.detach().numpy(), 2, axis=1)
    return mean, np.exp(logvar / 2)


def test_the_kl_of_every_layer_is_the_log_ratio_at_the_sample() -> None:
    method = DeepVAE(latents=3, layers=3, upper_latents=2, hidden=5)
    modules = made(method)
    generator = torch.Generator().manual_seed(3)
    codes = method.encode(modules, IMAGES, generator)
    again = torch.Generator().manual_seed(4)
    noise = [torch.randn((6, 2), generator=again).numpy() for _ in range(2)]
    found = method.layer_kls(modules, codes, torch.Generator().manual_seed(4))
    h, mean, deviation = (
        each.detach().numpy() for each in (codes.sample, codes.mean, torch.exp(codes.logvar / 2))
    )
    for layer in (1, 2):
        mean_above, deviation_above = gaussian(modules[f"recognise_{layer}"], h)
        above = mean_above + deviation_above * noise[layer - 1]
        prior = gaussian(modules[f"generate_{layer}"], above)
        expected = (norm.logpdf(h, mean, deviation) - norm.logpdf(h, *prior)).sum(axis=1)
        assert np.allclose(found[layer - 1].detach(), expected, atol=1e-4)
        h, mean, deviation = above, mean_above, deviation_above
    closed = 0.5 * (mean**2 + deviation**2 - 2 * np.log(deviation) - 1).sum(axis=1)
    assert np.allclose(found[2].detach(), closed, atol=1e-5)


def test_the_terms_are_in_the_history() -> None:
    method = DeepVAE(latents=3, layers=2)
    state = method.state(FACTS, torch.Generator().manual_seed(0))
    terms = method.step(state, Batch(IMAGES, 100), torch.Generator())
    assert {"loss", "reconstruction", "kl", "kl_1", "kl_2"} == terms.keys()
    assert float(terms["kl_1"] + terms["kl_2"]) == pytest.approx(float(terms["kl"]), rel=1e-5)
