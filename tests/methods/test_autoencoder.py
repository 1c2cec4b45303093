"""The autoencoder family: every switch against plain NumPy, and what contradicts itself."""

from typing import Any

import numpy as np
import pytest
import torch

from distaff.batches.batch import Batch, Facts
from distaff.errors import BadInput
from distaff.methods.autoencoder import Autoencoder
from distaff.testing import check_method

SHAPE = (1, 4, 5)
FACTS = Facts(SHAPE, 100)
LINEAR: dict[str, Any] = {"network": "linear", "likelihood": "gaussian", "output": "linear"}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int = 30) -> torch.Tensor:
    return torch.rand((n, *SHAPE), generator=generator(7))


def terms(method: Autoencoder) -> tuple[Any, dict[str, np.ndarray], Any]:
    """The loss of a fresh state, and its weights."""
    state = method.state(FACTS, generator())
    loss = method.loss(state.modules, Batch(images(), 100), generator(3))
    return loss, {name: p.detach().numpy() for name, p in state.modules.named_parameters()}, state


@pytest.mark.parametrize(
    "settings",
    [
        LINEAR,
        {"network": "linear", "tied": True, "activation": "relu"},
        {**LINEAR, "tied": True},
        {"sparsity": "l1", "sparsity_weight": 0.1},
        {"sparsity": "kl", "activation": "sigmoid", "network": "linear"},
        {"corruption": "gaussian"},
        {"corruption": "masking", "corruption_level": 0.4},
    ],
)
def test_every_switch_passes_the_battery(settings: dict[str, Any]) -> None:
    check_method(Autoencoder(**settings), steps=60)


def test_the_linear_loss_is_half_the_squared_error() -> None:
    loss, w, _ = terms(Autoencoder(latents=3, **LINEAR))
    x = images().flatten(1).numpy()
    z = x @ w["encoder.1.weight"].T + w["encoder.1.bias"]
    y = z @ w["decoder.0.weight"].T + w["decoder.0.bias"]
    expected = 0.5 * ((x - y) ** 2).sum(axis=1).mean() + 0.5 * np.log(2 * np.pi) * x.shape[1]
    assert (loss.total).item() == pytest.approx(expected, rel=1e-5)


def test_l1_is_the_mean_sum_of_magnitudes() -> None:
    loss, w, _ = terms(Autoencoder(latents=6, network="linear", sparsity="l1", sparsity_weight=0.7))
    z = images().flatten(1).numpy() @ w["encoder.1.weight"].T
    assert (loss.terms["sparsity"]).item() == pytest.approx(np.abs(z).sum(axis=1).mean(), rel=1e-5)
    assert (loss.total - loss.terms["reconstruction"]).item() == pytest.approx(
        0.7 * np.abs(z).sum(axis=1).mean(), rel=1e-4
    )


def test_kl_is_that_of_two_coins() -> None:
    method = Autoencoder(latents=6, network="linear", activation="sigmoid", sparsity="kl", rho=0.2)
    loss, w, _ = terms(method)
    rates = (1 / (1 + np.exp(-(images().flatten(1).numpy() @ w["encoder.1.weight"].T)))).mean(axis=0)
    expected = (0.2 * np.log(0.2 / rates) + 0.8 * np.log(0.8 / (1 - rates))).sum()
    assert (loss.terms["sparsity"]).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("corruption", ["gaussian", "masking"])
def test_the_corrupted_image_is_coded_and_the_clean_one_is_the_target(corruption: str) -> None:
    method = Autoencoder(latents=3, corruption=corruption, corruption_level=0.4, **LINEAR)
    loss, w, _ = terms(method)
    clean = images().flatten(1).numpy()
    drawn = torch.randn if corruption == "gaussian" else torch.rand
    u = drawn((30, *SHAPE), generator=generator(3)).flatten(1).numpy()
    x = clean + 0.4 * u if corruption == "gaussian" else clean * (u >= 0.4)
    y = (x @ w["encoder.1.weight"].T) @ w["decoder.0.weight"].T
    expected = 0.5 * ((clean - y) ** 2).sum(axis=1).mean() + 0.5 * np.log(2 * np.pi) * 20
    assert (loss.total).item() == pytest.approx(expected, rel=1e-5)


def test_corruption_is_for_training_alone() -> None:
    method = Autoencoder(latents=3, corruption="gaussian", **LINEAR)
    modules = method.state(FACTS, generator()).modules
    a, b = (method.encode(modules, images(), generator(seed)).mean for seed in (1, 2))
    assert torch.equal(a, b)


def test_tied_weights_are_one_parameter_with_both_gradients() -> None:
    method = Autoencoder(latents=3, tied=True, activation="sigmoid", network="linear")
    loss, w, state = terms(method)
    assert set(w) == {"encoder.1.weight", "encoder.1.bias", "decoder.0.bias"}
    assert set(state.modules.state_dict()) == set(w)
    basis = state.modules["decoder"](torch.eye(3)).detach().flatten(1).numpy()
    assert np.array_equal(basis, w["encoder.1.weight"])
    loss.total.backward()
    tied = state.modules["encoder"][1].weight.grad.numpy()
    free = Autoencoder(latents=3, activation="sigmoid", network="linear")
    modules = free.state(FACTS, generator()).modules
    with torch.no_grad():
        modules["encoder"][1].weight.copy_(torch.from_numpy(w["encoder.1.weight"]))
        modules["decoder"][0].weight.copy_(torch.from_numpy(w["encoder.1.weight"].T.copy()))
    free.loss(modules, Batch(images(), 100), generator(3)).total.backward()
    both = modules["encoder"][1].weight.grad + modules["decoder"][0].weight.grad.T
    np.testing.assert_allclose(tied, both.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tied": True}, "tied=true needs network=linear, got network=conv"),
        ({"sparsity": "kl"}, "sparsity=kl needs activation=sigmoid, got activation=none"),
        ({"output": "linear"}, "output=linear needs likelihood=gaussian, got likelihood=bernoulli"),
        ({"rho": 0.1}, "rho=0.1 has no effect without sparsity=kl"),
        ({"rho": 0.1, "sparsity": "l1"}, "rho=0.1 has no effect without sparsity=kl"),
        ({"sparsity_weight": 2}, "sparsity_weight=2.0 has no effect without sparsity"),
        ({"corruption_level": 0.5}, "corruption_level=0.5 has no effect without corruption"),
        ({"corruption": "masking", "corruption_level": 1.5}, "masking takes 0 to 1"),
        ({"corruption": "masking", "corruption_level": "linear:0.2:1.5:10"}, "masking takes 0 to 1"),
    ],
)
def test_contradictions_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        Autoencoder(**settings).check(FACTS)
