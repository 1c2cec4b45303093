"""FactorVAE: the density ratio, the discriminator and the two optimisers, against plain NumPy."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import nn

from distaff.batches.batch import Batch, Facts
from distaff.methods.base import Codes
from distaff.methods.factor_vae import FactorVAE, density_ratio, discriminator_loss, permute_latents
from distaff.methods.state import State
from distaff.methods.vae import VAE
from distaff.networks.discriminator import discriminator

FACTS = Facts((1, 16, 16), 100)
N = 6


def images(count: int = N) -> torch.Tensor:
    return torch.rand((count, 1, 16, 16), generator=torch.Generator().manual_seed(3))


def batch_of(method: FactorVAE) -> Batch:
    return Batch(images(2 * N if method.second_batch else N), 100)


def fresh_state(method: VAE) -> State:
    return method.state(FACTS, torch.Generator().manual_seed(0))


def probability_of_real(logits: np.ndarray) -> np.ndarray:
    """D(z) of logits (n, 2): the softmax's first entry."""
    return np.array([np.exp(a) / (np.exp(a) + np.exp(b)) for a, b in logits])


def by_hand(network: nn.Module, codes: np.ndarray) -> np.ndarray:
    """Logits of six layers of LeakyReLU(.2) and a linear one."""
    weights = [value.detach().double().numpy() for value in network.parameters()]
    values = codes
    for k in range(6):
        values = values @ weights[2 * k].T + weights[2 * k + 1]
        values = np.where(values > 0, values, 0.2 * values)
    return values @ weights[12].T + weights[13]


def with_biases(network: nn.Module) -> nn.Module:
    """The network with random biases, so that none can be left out."""
    generator = torch.Generator().manual_seed(7)
    for value in network.parameters():
        if value.ndim == 1:
            value.data = torch.randn(value.shape, generator=generator).to(value)
    return network


def test_total_correlation_is_the_mean_log_odds_of_real_codes() -> None:
    logits = np.random.default_rng(0).standard_normal((9, 2)) * 3
    d = probability_of_real(logits)
    expected = np.mean(np.log(d / (1 - d)))
    assert float(density_ratio(torch.tensor(logits))) == pytest.approx(expected, rel=1e-5)


def test_discriminator_loss_is_half_of_both_negative_log_likelihoods() -> None:
    rng = np.random.default_rng(1)
    real, permuted = 2 * rng.standard_normal((9, 2)), 2 * rng.standard_normal((9, 2))
    expected = -0.5 * np.log(probability_of_real(real)).mean()
    expected -= 0.5 * np.log(1 - probability_of_real(permuted)).mean()
    found = discriminator_loss(torch.tensor(np.concatenate([real, permuted])))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_discriminator_has_six_leaky_layers_of_1000_and_two_logits() -> None:
    layers = list(discriminator(10, 1000))
    assert [type(layer) for layer in layers] == [nn.Linear, nn.LeakyReLU] * 6 + [nn.Linear]
    assert [layer.out_features for layer in layers[::2]] == [1000] * 6 + [2]
    assert {layer.negative_slope for layer in layers[1::2]} == {0.2}
    assert sum(value.numel() for value in discriminator(10, 1000).parameters()) == 5_018_002


def test_its_logits_are_those_of_the_layers_by_hand() -> None:
    network = with_biases(fresh_state(FactorVAE(latents=4)).modules["discriminator"].double())
    codes = np.random.default_rng(2).standard_normal((5, 4))
    found = network(torch.tensor(codes)).detach()
    np.testing.assert_allclose(found, by_hand(network, codes), rtol=1e-5)


def test_the_regulariser_is_kl_plus_gamma_total_correlation_of_the_samples() -> None:
    rng = np.random.default_rng(3)
    mean, logvar, sample = (rng.standard_normal((N, 3)) for _ in range(3))
    method = FactorVAE(latents=3, gamma=7.0)
    modules = fresh_state(method).modules.double()
    with_biases(modules["discriminator"])
    d = probability_of_real(by_hand(modules["discriminator"], sample))
    total_correlation = np.mean(np.log(d) - np.log(1 - d))
    kl = sum(0.5 * (m**2 + np.exp(v) - v - 1) for m, v in zip(mean.flat, logvar.flat, strict=True)) / N
    codes = Codes(*(torch.tensor(values) for values in (mean, logvar, sample)))
    total, terms = method.loss_at(modules, images().double(), codes)
    found = (total - terms["reconstruction"]).detach()
    assert float(found) == pytest.approx(kl + 7 * total_correlation, rel=1e-5)
    assert float(terms["total_correlation"].detach()) == pytest.approx(total_correlation, rel=1e-5)


def test_gamma_0_is_the_vae() -> None:
    losses = [
        method.loss(fresh_state(method).modules, Batch(images(), 100), torch.Generator().manual_seed(1))
        for method in (FactorVAE(gamma=0), VAE())
    ]
    assert float(losses[0].total.detach()) == float(losses[1].total.detach())
    for name in ("reconstruction", "kl"):
        assert torch.equal(losses[0].terms[name], losses[1].terms[name])


def test_every_latent_is_permuted() -> None:
    codes = torch.randn((40, 5), generator=torch.Generator().manual_seed(0))
    permuted = permute_latents(codes, torch.Generator().manual_seed(1))
    for before, after in zip(codes.T, permuted.T, strict=True):
        assert sorted(before.tolist()) == sorted(after.tolist())
        assert not torch.equal(before, after)


def test_permutations_follow_from_the_generator_alone() -> None:
    codes = torch.arange(60.0).reshape(20, 3)
    first, same, other = (permute_latents(codes, torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_all_permutations_are_as_likely_and_independent_between_latents() -> None:
    generator = torch.Generator().manual_seed(0)
    codes = torch.arange(3).repeat(2, 1).T  # (3, 2), both columns 0, 1, 2
    counts: dict[tuple[int, ...], int] = {}
    for _ in range(7200):
        both = tuple(permute_latents(codes, generator).T.flatten().tolist())
        counts[both] = counts.get(both, 0) + 1
    assert len(counts) == 36  # 6 permutations of the one times 6 of the other
    assert chisquare(list(counts.values())).pvalue > 1e-4


@pytest.mark.parametrize("second_batch", [True, False])
def test_a_step_updates_each_of_the_two_once(second_batch: bool) -> None:
    method = FactorVAE(second_batch=second_batch)
    state = fresh_state(method)
    before = {name: value.clone() for name, value in state.tensors().items()}
    for number in (1, 2, 3):
        method.step(state, batch_of(method), torch.Generator().manual_seed(number))
        for optimiser in ("adam", "discriminator"):
            steps = [
                float(value)
                for name, value in state.tensors().items()
                if name.startswith(f"optimiser/{optimiser}/") and name.endswith("/step")
            ]
            assert steps
            assert set(steps) == {number}
    assert all(not torch.equal(value, state.tensors()[name]) for name, value in before.items())


def test_both_networks_and_both_optimisers_are_in_the_state() -> None:
    method = FactorVAE()
    state = fresh_state(method)
    method.step(state, batch_of(method), torch.Generator().manual_seed(0))
    shapes = {name: tuple(value.shape) for name, value in state.tensors().items()}
    own = [(name, shape) for name, shape in shapes.items() if name.startswith("model/discriminator.")]
    others = [
        (name, s) for name, s in shapes.items() if name.startswith(("model/encoder.", "model/decoder."))
    ]
    assert len(own) == 14
    assert len(own) + len(others) == sum(name.startswith("model/") for name in shapes)
    for optimiser, parts in (("adam", others), ("discriminator", own)):
        for moment in ("exp_avg", "exp_avg_sq"):
            found = [shapes[f"optimiser/{optimiser}/{number}/{moment}"] for number in range(len(parts))]
            assert found == [shape for _, shape in parts]


def test_the_two_optimisers_are_adams_with_momenta_of_their_own() -> None:
    betas = {name: o.param_groups[0]["betas"] for name, o in fresh_state(FactorVAE()).optimisers.items()}
    assert betas == {"adam": (0.9, 0.999), "discriminator": (0.5, 0.9)}


def test_the_vae_moves_by_the_gradient_of_its_loss_alone() -> None:
    method = FactorVAE(gamma=50.0, second_batch=False)
    state, twin = fresh_state(method), fresh_state(method)
    vae = [*twin.modules["encoder"].parameters(), *twin.modules["decoder"].parameters()]
    loss = method.loss(twin.modules, batch_of(method), torch.Generator().manual_seed(5))
    expected = torch.autograd.grad(loss.total, vae)
    method.step(state, batch_of(method), torch.Generator().manual_seed(5))
    moved = [*state.modules["encoder"].parameters(), *state.modules["decoder"].parameters()]
    for value, gradient in zip(moved, expected, strict=True):
        torch.testing.assert_close(value.grad, gradient)


def test_the_discriminator_moves_by_the_gradient_of_its_loss_alone() -> None:
    method = FactorVAE(gamma=50.0, second_batch=False)
    state, twin = fresh_state(method), fresh_state(method)
    generator = torch.Generator().manual_seed(5)
    network = twin.modules["discriminator"]
    with torch.no_grad():
        codes = method.encode(twin.modules, images(), generator).sample
    loss = discriminator_loss(network(torch.cat([codes, permute_latents(codes, generator)])))
    expected = torch.autograd.grad(loss, list(network.parameters()))
    terms = method.step(state, batch_of(method), torch.Generator().manual_seed(5))
    assert float(terms["discriminator"]) == pytest.approx(float(loss.detach()), rel=1e-5)
    for value, gradient in zip(state.modules["discriminator"].parameters(), expected, strict=True):
        torch.testing.assert_close(value.grad, gradient)


def test_gamma_does_not_reach_the_discriminator() -> None:
    after = []
    for gamma in (0.0, 1000.0):
        method = FactorVAE(gamma=gamma, second_batch=False)
        state = fresh_state(method)
        method.step(state, batch_of(method), torch.Generator().manual_seed(5))
        after.append(state)
    values = [list(state.modules["discriminator"].parameters()) for state in after]
    assert all(torch.equal(a, b) for a, b in zip(*values, strict=True))
    assert not torch.equal(*(state.modules["encoder"][1].weight for state in after))


def seen_by_the_discriminator(method: FactorVAE, state: State) -> list[torch.Tensor]:
    """What it is given in one step: codes to penalise, real codes, permuted codes."""
    seen: list[torch.Tensor] = []
    network = state.modules["discriminator"]
    hook = network.register_forward_hook(lambda module, given, out: seen.append(given[0].detach()))
    method.step(state, batch_of(method), torch.Generator().manual_seed(5))
    hook.remove()
    return list(torch.cat(seen).split(N))


@pytest.mark.parametrize("second_batch", [True, False])
def test_where_permuted_codes_come_from(second_batch: bool) -> None:
    method = FactorVAE(second_batch=second_batch)
    state, before = fresh_state(method), fresh_state(method)
    penalised, real, permuted = seen_by_the_discriminator(method, state)
    assert torch.equal(penalised, real)
    generator = torch.Generator().manual_seed(5)
    first = method.encode(before.modules, batch_of(method).images[:N], generator).sample.detach()
    torch.testing.assert_close(real, first)
    source = first
    if second_batch:  # coded by the VAE as it is after its own step
        source = method.encode(state.modules, batch_of(method).images[N:], generator).sample.detach()
    torch.testing.assert_close(permuted.sort(dim=0)[0], source.sort(dim=0)[0])
    assert not torch.equal(permuted, source)


def test_a_second_batch_asks_for_two_batches() -> None:
    assert FactorVAE(second_batch=True).batches == "two"
    assert FactorVAE(second_batch=False).batches == "images"
